"""The Django app: gives `manage.py freeloop`; it starts nothing."""

from __future__ import annotations

from django.apps import AppConfig


class FreeloopConfig(AppConfig):
    """freeloop in INSTALLED_APPS."""

    name = "freeloop"
    verbose_name = "freeloop"
