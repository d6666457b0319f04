"""Findings on the terminal: place first, most costly first, rare ones counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from freeloop.model.finding import (
    Certainty,
    Finding,
    FindingClass,
    Findings,
    Guard,
)
from freeloop.render.console import show, show_labelled
from freeloop.render.finding_text import GUARDS, details, summary

STYLES = {
    FindingClass.CRASH: "bold red",
    FindingClass.STALL: "bold yellow",
    FindingClass.WASTE: "bold cyan",
}

MOST_GONE = 5


def show_findings(found: Findings, console: Console, *, every: bool = False) -> None:
    """Print the findings, and last what they are in number.

    Args:
        found: What to print.
        console: Where.
        every: Also print what is rare or reached by no request known, which is only counted
            otherwise.
    """
    shown = [finding for finding in found.findings if every or not finding.folded]
    for finding in shown:
        _show_finding(finding, console, whole=every)
    folded = [finding for finding in found.findings if finding.folded]
    if folded and not every:
        show(console, Text(_folded_words(folded), "dim"))
    for each in found.unread:
        where = each.path if each.line is None else f"{each.path}:{each.line}"
        show(console, Text(f"{where}  not read: {each.problem}", "yellow"))
    for gone in found.gone[:MOST_GONE]:
        show_labelled(console, "gone", gone)
    for note in found.notes:
        show_labelled(console, "note", note)
    show(console, Text(summary(found), "bold"))


def show_quiet(found: Findings, console: Console) -> None:
    """Print one line for each finding and nothing else."""
    for finding in found.findings:
        if not finding.folded:
            show(console, _head(finding))


def _show_finding(finding: Finding, console: Console, *, whole: bool) -> None:
    show(console, _head(finding))
    for label, text in details(finding, whole=whole):
        show_labelled(console, label, text)
    show(console, "")


def _head(finding: Finding) -> Text:
    sure = {Certainty.LIKELY: "", Certainty.CERTAIN: "", Certainty.OBSERVED: "observed: "}
    guard = f"  ({GUARDS[finding.guard]})" if finding.guard is not Guard.NONE else ""
    return Text.assemble(
        (f"{finding.path}:{finding.line}", "bold"),
        "  ",
        (f"{finding.rule} {finding.name}", STYLES[finding.class_]),
        (f" {finding.class_.value}  ", "dim"),
        f"{sure[finding.certainty]}{finding.message}",
        (guard, "dim"),
    )


def _folded_words(folded: Sequence[Finding]) -> str:
    rare = Counter(GUARDS[each.guard] for each in folded if each.guard.folded)
    unreached = sum(not each.rooted and not each.guard.folded for each in folded)
    parts = [f"{count} {words}" for words, count in rare.items()]
    if unreached:
        parts.append(f"{unreached} reached by no entry point known")
    return f"not shown: {', '.join(parts)}; --all shows them"
