"""`freeloop doctor`: what is here, what is missing, and how to get it."""

from __future__ import annotations

from pathlib import Path

import click

from freeloop.cli import exit_codes
from freeloop.cli.options import project_options


@click.command("doctor")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    help="What goes to standard output.",
)
@project_options
def doctor_command(form: str, settings: str | None, python: str | None) -> None:
    """Examine interpreter, settings, servers, database and extras, each with its mend."""
    from rich.console import Console

    from freeloop.api import doctor
    from freeloop.model.check import CheckState
    from freeloop.render.json_output import dump_checks
    from freeloop.render.terminal import show_checks

    checks = doctor(Path.cwd(), settings=settings, python=python)
    if form == "json":
        click.echo(dump_checks(checks))
    else:
        show_checks(checks, Console())
    if any(check.state is CheckState.BROKEN for check in checks):
        raise click.exceptions.Exit(exit_codes.FINDINGS)
