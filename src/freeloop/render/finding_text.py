"""What a finding says beside its place: the same words on the terminal and on forges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from freeloop.model.finding import (
    Certainty,
    Finding,
    FindingClass,
    Findings,
    Fix,
    Guard,
    Safety,
)

GUARDS = {
    Guard.NONE: "",
    Guard.BRANCH: "under a condition",
    Guard.CACHE: "only when nothing is kept yet",
    Guard.SETTING: "if a setting says so",
    Guard.RARE: "on a rare branch",
    Guard.AFTER: "behind a line that raises first",
    Guard.LOADED: "unless code that is not read has loaded it before",
}
# As SARIF calls them. A crash fails its request, a stall slows all others, a waste only costs.
LEVELS = {
    FindingClass.CRASH: "error",
    FindingClass.STALL: "warning",
    FindingClass.WASTE: "note",
}
COUNTED = {
    FindingClass.CRASH: ("crash", "crash"),
    FindingClass.STALL: ("block the loop", "blocks the loop"),
    FindingClass.WASTE: ("waste", "wastes"),
}
MOST_OTHERS = 3


def message(finding: Finding) -> str:
    """Return what happens, whether it was seen, and under which condition: one sentence."""
    seen = "observed: " if finding.certainty is Certainty.OBSERVED else ""
    guard = GUARDS[finding.guard]
    return f"{seen}{finding.message}{f' ({guard})' if guard else ''}"


def details(finding: Finding, *, whole: bool = False) -> Iterator[tuple[str, str]]:
    """Yield label and text of what else is known: entry, path, cost, mend.

    Args:
        finding: To tell about.
        whole: Whether to name every entry point, and the place of every step.
    """
    if finding.entry:
        yield "entry", entry_words(finding, whole=whole)
    if len(finding.chain) > 1:
        yield "path", chain_words(finding, whole=whole)
    if finding.cost_ms is not None:
        basis = f" ({finding.basis})" if finding.basis else ""
        yield "cost", f"{finding.cost_ms:.0f} ms per request{basis}"
    if finding.fix is not None:
        yield "mend", mend_words(finding.fix, whole=whole)


def mend_words(fix: Fix, *, whole: bool = False) -> str:
    """Return how to mend a finding, and whether freeloop can write it."""
    if fix.safety is Safety.SAFE:
        return f"{fix.sentence}      safe edit: freeloop check --fix"
    if fix.safety is Safety.UNSAFE:
        return f"{fix.sentence}      to look at: freeloop check --unsafe-fixes ({fix.reason})"
    return f"{fix.sentence}      no edit: {fix.reason}" if whole and fix.reason else fix.sentence


def entry_words(finding: Finding, *, whole: bool) -> str:
    """Return the entry point and the others that reach the cause; all of them when `whole`."""
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


def summary(found: Findings) -> str:
    """Return one line: findings by class, files, entry points."""
    counts = Counter(finding.class_ for finding in found.findings if not finding.folded)
    parts = [
        f"{counts[each]} {COUNTED[each][1 if counts[each] == 1 else 0]}"
        for each in FindingClass
        if counts[each]
    ] or ["nothing new" if found.known else "nothing found"]
    files = f"{found.files} files, {found.entries} entry points on the event loop"
    if found.unread:
        files += f", {len(found.unread)} not read"
    if found.suppressed:
        files += f", {found.suppressed} silenced by comments"
    if found.ignored:
        files += f", {found.ignored} ignored by settings"
    if found.known:
        files += f", {found.known} known in the baseline"
    if found.gone:
        files += f", {len(found.gone)} of the baseline gone"
    return f"{', '.join(parts)}. {files}"
