"""Work for the tasks worker, `manage.py db_worker`."""

from __future__ import annotations

import django

from kitchen.work import chop

# Django 6.0 brings the tasks framework along; 5.2 has it as the package django-tasks.
if django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task


@task()
def chop_later(ms: int) -> int:
    return chop(ms)
