"""The Django app: gives `manage.py freeloop` and checks; relief and watch start if asked for."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class FreeloopConfig(AppConfig):
    """freeloop in INSTALLED_APPS."""

    name = "freeloop"
    verbose_name = "freeloop"

    def ready(self) -> None:
        """Register the checks; start relief and watch where `ENABLED` is true in their table."""
        from freeloop import async_checks
        from freeloop.checks import check_relief, check_settings
        from freeloop.relief import switch
        from freeloop.watch import switch as watch_switch

        checks.register(check_settings, "freeloop")
        checks.register(check_relief, "freeloop", checks.Tags.async_support)
        for check in (
            async_checks.check_atomic_requests,
            async_checks.check_kept_connections,
            async_checks.check_sync_middleware,
        ):
            checks.register(check, "freeloop", checks.Tags.async_support)
        if switch.switch().enabled:
            from freeloop.relief import install

            install()
        if watch_switch.switch().enabled:
            from freeloop.watch import seam

            seam.install()
