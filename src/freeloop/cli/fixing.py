"""`freeloop check --diff`, `--fix`, `--unsafe-fixes`: show, ask, write, and say what was done."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freeloop.errors import FreeloopError
from freeloop.model.finding import Findings

if TYPE_CHECKING:
    from freeloop.fix.propose import Proposal
    from freeloop.fix.verify import Checked


def run_fixes(check: Callable[..., Checked], *, diff: bool, fix: bool, unsafe: bool) -> Findings:
    """Return what is found afterwards; with `diff`, what is found now, and nothing is written.

    The diff goes to standard output, all that is said about edits to standard error.

    Args:
        check: `check_with_fixes` with the user's arguments.
        diff: Show edits instead of writing them.
        fix: Make the safe edits.
        unsafe: Make the others too, each when the user says so; with `diff`, show them all.

    Raises:
        FreeloopError: `no-terminal` when there is nobody to ask.
    """
    from rich.console import Console

    from freeloop.api.fixing import diff_of, is_safe, plan_fixes, write_fixes
    from freeloop.render.fixes_terminal import show_fixes

    if unsafe and not diff and not sys.stdin.isatty():
        raise FreeloopError(
            "no-terminal",
            what="--unsafe-fixes asks for each edit, and nobody can answer here",
            where="standard input is not a terminal",
            mend="freeloop check --diff --unsafe-fixes shows them, as a patch to be picked from",
        )

    def accepts(proposal: Proposal) -> bool:
        if is_safe(proposal):
            return diff or fix
        return unsafe and (diff or _asked(proposal))

    outcome = plan_fixes(check, accepts=accepts)
    console = Console(stderr=True, soft_wrap=True)
    written = [each.finding for each in outcome.written]
    refused = [(each.finding, reason) for each, reason in outcome.refused]
    if diff:
        click.echo(diff_of(outcome, Path.cwd()), nl=False)
        show_fixes(console, written, refused, outcome.checked.findings.findings, done="possible")
        return outcome.before
    for path, reason in write_fixes(outcome):
        raise FreeloopError(
            "fix-not-written",
            what="a file could not be written, and keeps its old content",
            where=f"{path}: {reason}",
            mend="make it writable, or wait until nothing else changes it, and run again",
        )
    found = check().findings
    show_fixes(console, written, refused, found.findings)
    return found


def _asked(proposal: Proposal) -> bool:
    """Ask whether an edit that is not certain should be made."""
    from freeloop.api.fixing import proposal_diff

    finding, fix = proposal.finding, proposal.fix
    click.echo(f"\n{finding.path}:{finding.line}  {finding.rule} {finding.name}  {finding.message}")
    click.echo(f"  edit     {fix.sentence}\n  but      {fix.reason}\n")
    click.echo(proposal_diff(proposal), nl=False)
    return click.confirm("Make this edit?", default=False)
