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
    Fix,
    Guard,
    Safety,
)
from freeloop.render.console import show, show_labelled

STYLES = {
    FindingClass.CRASH: "bold red",
    FindingClass.STALL: "bold yellow",
    FindingClass.WASTE: "bold cyan",
}
GUARDS = {
    Guard.NONE: "",
    Guard.BRANCH: "under a condition",
    Guard.CACHE: "only when nothing is kept yet",
    Guard.SETTING: "if a setting says so",
    Guard.RARE: "on a rare branch",
}
COUNTED = {
    FindingClass.CRASH: ("crash", "crash"),
    FindingClass.STALL: ("block the loop", "blocks the loop"),
    FindingClass.WASTE: ("waste", "wastes"),
}
MOST_OTHERS = 3


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
    for note in found.notes:
        show_labelled(console, "note", note)
    show(console, Text(summary(found), "bold"))


def show_quiet(found: Findings, console: Console) -> None:
    """Print one line for each finding and nothing else."""
    for finding in found.findings:
        if not finding.folded:
            show(console, _head(finding))


def summary(found: Findings) -> str:
    """Return the last line: findings by class, files, entry points."""
    counts = Counter(finding.class_ for finding in found.findings if not finding.folded)
    parts = [
        f"{counts[each]} {COUNTED[each][1 if counts[each] == 1 else 0]}"
        for each in FindingClass
        if counts[each]
    ] or ["nothing found"]
    files = f"{found.files} files, {found.entries} entry points on the event loop"
    if found.unread:
        files += f", {len(found.unread)} not read"
    if found.suppressed:
        files += f", {found.suppressed} silenced by comments"
    return f"{', '.join(parts)}. {files}"


def _show_finding(finding: Finding, console: Console, *, whole: bool) -> None:
    show(console, _head(finding))
    if finding.entry:
        show_labelled(console, "entry", _entry_words(finding, whole=whole))
    if len(finding.chain) > 1:
        show_labelled(console, "path", chain_words(finding, whole=whole))
    if finding.cost_ms is not None:
        basis = f" ({finding.basis})" if finding.basis else ""
        show_labelled(console, "cost", f"{finding.cost_ms:.0f} ms per request{basis}")
    if finding.fix is not None:
        show_labelled(console, "mend", mend_words(finding.fix, whole=whole))
    show(console, "")


def mend_words(fix: Fix, *, whole: bool = False) -> str:
    """Return how to mend a finding, and whether freeloop can write it."""
    if fix.safety is Safety.SAFE:
        return f"{fix.sentence}      safe edit: freeloop check --fix"
    if fix.safety is Safety.UNSAFE:
        return f"{fix.sentence}      to look at: freeloop check --unsafe-fixes ({fix.reason})"
    return f"{fix.sentence}      no edit: {fix.reason}" if whole and fix.reason else fix.sentence


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


def _entry_words(finding: Finding, *, whole: bool) -> str:
    others = [place.what or f"{place.path}:{place.line}" for place in finding.also]
    if not others:
        return finding.entry
    if whole or len(others) <= MOST_OTHERS:
        return f"{finding.entry}; also {'; '.join(others)}"
    more = len(others) - MOST_OTHERS
    return f"{finding.entry}; also {'; '.join(others[:MOST_OTHERS])}; and {more} more"


def chain_words(finding: Finding, *, whole: bool = False) -> str:
    """Return the chain in one line; with the place of every step when `whole`."""
    steps = finding.chain
    if whole:
        return " > ".join(f"{step.text} ({step.path}:{step.line})" for step in steps)
    first = steps[0].function.rpartition(".")[2]
    return " > ".join([first, *(step.text for step in steps)])


def _folded_words(folded: Sequence[Finding]) -> str:
    rare = Counter(GUARDS[each.guard] for each in folded if each.guard.folded)
    unreached = sum(not each.rooted and not each.guard.folded for each in folded)
    parts = [f"{count} {words}" for words, count in rare.items()]
    if unreached:
        parts.append(f"{unreached} reached by no entry point known")
    return f"not shown: {', '.join(parts)}; --all shows them"
