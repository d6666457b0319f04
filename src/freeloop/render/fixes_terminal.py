"""What was written, what was not, and why, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from freeloop.model.finding import Finding, Safety
from freeloop.render.console import show


def show_fixes(
    console: Console,
    written: Sequence[Finding],
    refused: Sequence[tuple[Finding, str]],
    left: Sequence[Finding],
    *,
    done: str = "written",
) -> None:
    """Print one line for each edit that was made or refused, and last their number.

    Args:
        console: Where.
        written: Mended findings, with their lines before.
        refused: Findings whose edit failed a check, with the check.
        left: What is found afterwards; those with a reason are named.
        done: Word for an edit that was made.
    """
    for finding in written:
        show(console, _line(done, "green", finding, finding.fix.sentence if finding.fix else ""))
    for finding, reason in refused:
        show(console, _line("refused", "red", finding, reason))
    told = {(each.rule, each.path, each.subject) for each, _ in refused}
    for finding in left:
        fix = finding.fix
        if fix is None or not fix.reason or (finding.rule, finding.path, finding.subject) in told:
            continue
        unsafe = fix.safety is Safety.UNSAFE
        show(console, _line("not certain" if unsafe else "no edit", "yellow", finding, fix.reason))
    show(console, Text(summary(written, refused, left, done=done), "bold"))


def summary(
    written: Sequence[Finding],
    refused: Sequence[tuple[Finding, str]],
    left: Sequence[Finding],
    *,
    done: str = "written",
) -> str:
    """Return the last line: how many edits were made, refused and left to a person."""
    files = len({edit.path for each in written if each.fix for edit in each.fix.edits})
    edits = "1 edit" if len(written) == 1 else f"{len(written)} edits"
    parts = [f"{edits} {done} in {files} file{'' if files == 1 else 's'}"]
    if refused:
        parts.append(f"{len(refused)} refused")
    unsafe = sum(each.fix is not None and each.fix.safety is Safety.UNSAFE for each in left)
    if unsafe:
        parts.append(f"{unsafe} not certain: --unsafe-fixes asks for each")
    return ", ".join(parts)


def _line(word: str, style: str, finding: Finding, text: str) -> Text:
    place = f"{finding.path}:{finding.line}"
    return Text.assemble(
        (f"{word:<12}", style), (place, "bold"), f"  {finding.rule} {finding.name}: {text}"
    )
