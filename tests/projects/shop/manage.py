"""Run Django's commands on this project."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Name the settings, then hand over."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
