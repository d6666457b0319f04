"""Tasks: functions that a task queue or a command runs, in a process without an event loop."""

from __future__ import annotations

from freeloop.source.code.index import Func
from freeloop.source.code.kinds import ExtInst, ExtMethod
from freeloop.source.code.resolve import Resolver

TASKS = ("celery.shared_task", "celery.app.shared_task", "django.tasks.task", "dramatiq.actor",
         "huey.contrib.djhuey.task", "django_rq.job")  # fmt: skip


def is_task(resolver: Resolver, func: Func) -> bool:
    """Tell whether a decorator gives a function to a task queue."""
    for name, _, kind in resolver.decorator_names(func) if func.decorators else ():
        if name in TASKS:
            return True
        if isinstance(kind, ExtMethod) and kind.name == "task":
            owner = kind.owner
            return isinstance(owner, ExtInst) and owner.name.startswith("celery.")
    return False


def is_command(func: Func) -> bool:
    """Tell whether a function is part of a management command."""
    return ".management.commands." in f".{func.module.name}"
