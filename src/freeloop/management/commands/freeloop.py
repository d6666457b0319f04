"""`manage.py freeloop ...` forwards its arguments to the `freeloop` command."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """The same command line behind Django's door."""

    help = "When async helps in this project, and when it does not; see `freeloop --help`."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand everything after the command's name to click, untouched."""
        from freeloop.cli.main import main

        arguments = argv[2:]
        main(args=arguments, prog_name="manage.py freeloop")

    def handle(self, *args: Any, **options: Any) -> None:
        """Never reached from the command line; `call_command` has no arguments to forward."""
        from freeloop.cli.main import main

        main(args=list(args), prog_name="manage.py freeloop", standalone_mode=False)
