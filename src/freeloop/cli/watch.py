"""`freeloop watch`: what held the event loops of running workers, as it happens."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from freeloop.cli import exit_codes
from freeloop.errors import Interrupted


@click.command("watch")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option("--once", is_flag=True, help="Show what is there and end.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="What goes to standard output; json gives one document a line while it follows.",
)
def watch_command(files: Sequence[Path], once: bool, form: str) -> int:
    """Follow the JSON lines of running workers: which lines hold their event loops, and how long.

    The workers write FILE when `FREELOOP_WATCH_LOG=FILE` is in their environment and
    `freeloop.watch` is in the project. Files may grow, be rotated, or not be there yet. On a
    terminal a table is kept up to date; in a pipe each report is one line. Ctrl-C ends it.
    """
    # Routes and functions may have any name, and a log is often kept in ASCII.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        if once:
            _show_once(files, form)
        elif form == "json":
            _follow_json(files)
        else:
            _follow(files)
    except (Interrupted, KeyboardInterrupt):
        return exit_codes.INTERRUPTED
    return 0


def _show_once(files: Sequence[Path], form: str) -> None:
    from rich.console import Console

    from freeloop.api.watching import overview_of
    from freeloop.render.console import show
    from freeloop.render.json_output import dump_overview
    from freeloop.render.watched import table

    overview = overview_of(files)
    if form == "json":
        click.echo(dump_overview(overview, indent=2))
        return
    console = Console()
    show(console, table(overview, width=console.width))


def _follow_json(files: Sequence[Path]) -> None:
    from freeloop.api.watching import overviews_of
    from freeloop.render.json_output import dump_overview

    seen = None
    for overview in overviews_of(files, lambda report: None):
        known = (overview.reports, overview.unreadable, overview.absent)
        if known != seen:
            click.echo(dump_overview(overview))
        seen = known


def _follow(files: Sequence[Path]) -> None:
    from rich.console import Console
    from rich.live import Live

    from freeloop.api.watching import overviews_of
    from freeloop.render.watched import notes_of, plain_line, table

    console = Console()
    if not console.is_terminal:
        told: list[str] = []
        for overview in overviews_of(files, lambda report: click.echo(plain_line(report))):
            # Once for each file: the count grows with each line.
            for note, name in zip(notes_of(overview), _named(overview), strict=True):
                if name not in told:
                    told.append(name)
                    click.echo(note, err=True)
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        for overview in overviews_of(files, lambda report: None):
            # Read again each time: windows are resized.
            live.update(table(overview, width=console.width, height=console.height), refresh=True)


def _named(overview: object) -> list[str]:
    from freeloop.model.watched import Overview

    assert isinstance(overview, Overview)
    return [f"bad {each.file}" for each in overview.unreadable] + list(overview.absent)
