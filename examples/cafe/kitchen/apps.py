"""The kitchen app; teaches every new SQLite connection to sleep."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class KitchenConfig(AppConfig):
    name = "kitchen"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kitchen.sleeping import teach_sqlite

        connection_created.connect(teach_sqlite, dispatch_uid="kitchen.sleeping")
