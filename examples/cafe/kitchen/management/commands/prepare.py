"""`manage.py prepare`: create the tables and write the menu; running it again changes nothing."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management import call_command
from django.core.management.base import BaseCommand

from kitchen.menu import MENU
from kitchen.models import MenuItem


class Command(BaseCommand):
    help = "Create the tables and write the dishes of the menu that are missing."
    # Checks import every view with its HTTP clients and frameworks: most of the time it takes
    # to set up, and the server does it again anyway.
    requires_system_checks: ClassVar[list[str]] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        call_command("migrate", verbosity=0, skip_checks=True)
        MenuItem.objects.bulk_create((MenuItem(**dish) for dish in MENU), ignore_conflicts=True)
        self.stdout.write(f"{MenuItem.objects.count()} dishes on the menu")
