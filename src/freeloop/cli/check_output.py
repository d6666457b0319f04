"""What `freeloop check` writes to standard output, in each of its formats."""

from __future__ import annotations

import json
from pathlib import Path

import click

from freeloop.model.finding import Findings

FORMATS = ("concise", "full", "json", "sarif", "github", "markdown")


def print_findings(found: Findings, form: str, *, every: bool, quiet: bool) -> None:
    """Print the findings.

    Args:
        found: All of them, with paths relative to the current directory.
        form: One of FORMATS.
        every: Whether to show those too that the default view only counts; JSON always has them.
        quiet: Whether to print one line for each on the terminal, and nothing else.
    """
    if form in ("concise", "full"):
        from rich.console import Console

        from freeloop.render.findings_terminal import show_findings, show_quiet

        if quiet:
            show_quiet(found, Console(soft_wrap=True))
        else:
            show_findings(found, Console(), every=every or form == "full")
    elif form == "json":
        from freeloop.model.finding_codec import encode_findings

        _print_json(encode_findings(found))
    else:
        _print_for_forge(found, form, every=every)


def write_baseline(found: Findings, file: Path, *, every: bool) -> None:
    """Write what would be shown as known findings, and say what became of the file."""
    from freeloop.api.baselines import renew

    shown = [finding for finding in found if every or not finding.folded]
    fresh, gone = renew(shown, file, Path.cwd())
    click.echo(f"{file}: {len(shown)} known findings ({fresh} new, {gone} gone)")


def _print_for_forge(found: Findings, form: str, *, every: bool) -> None:
    from freeloop.render.finding_text import summary
    from freeloop.render.repository_paths import seen_from_repository

    found = seen_from_repository(found, Path.cwd())
    shown = [finding for finding in found if every or not finding.folded]
    if form == "sarif":
        from freeloop.render.sarif import sarif

        _print_json(sarif(found, shown))
    elif form == "github":
        from freeloop.render.github import github_lines

        for line in github_lines(shown):
            click.echo(line)
        click.echo(summary(found))
    else:
        from freeloop.render.markdown import markdown

        click.echo(markdown(found, shown), nl=False)


def _print_json(document: object) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
