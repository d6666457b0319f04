"""`manage.py seed`: write the menu; running it again changes nothing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from kitchen.menu import MENU
from kitchen.models import MenuItem


class Command(BaseCommand):
    help = "Write the fifty dishes of the menu into the database, those that are missing."

    def handle(self, *_args: Any, **_options: Any) -> None:
        MenuItem.objects.bulk_create((MenuItem(**dish) for dish in MENU), ignore_conflicts=True)
        self.stdout.write(f"{MenuItem.objects.count()} dishes on the menu")
