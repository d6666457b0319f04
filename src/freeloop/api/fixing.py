"""`freeloop check --diff`, `--fix` and `--unsafe-fixes`: what would be written, and the writing."""

from __future__ import annotations

import difflib
import linecache
import re
from collections.abc import Callable
from pathlib import Path

from freeloop.fix.edit import write
from freeloop.fix.propose import Proposal
from freeloop.fix.trial import tried
from freeloop.fix.verify import Checked, Outcome, settle
from freeloop.model.finding import Safety


def plan_fixes(
    check: Callable[..., Checked], *, accepts: Callable[[Proposal], bool] | None = None
) -> Outcome:
    """Return what the files of a project become; nothing is written.

    Args:
        check: `check_with_fixes` with all that it needs but the overlay.
        accepts: Tells of each proposal whether it is wanted; the safe ones when None.
    """
    return settle(lambda overlay: check(overlay=overlay), accepts or is_safe)


def is_safe(proposal: Proposal) -> bool:
    """Tell whether a proposal may be written unasked."""
    return proposal.fix.safety is Safety.SAFE


def write_fixes(outcome: Outcome) -> list[tuple[str, str]]:
    """Write every file of an outcome, each in one step.

    Returns:
        (path, reason) of the files that were left as they are.
    """
    failed = []
    for path, (before, after) in outcome.files.items():
        try:
            write(Path(path), before, after)
        except OSError as error:
            failed.append((path, error.strerror or str(error)))
    linecache.checkcache()
    return failed


def diff_of(outcome: Outcome, start: Path) -> str:
    """Return all edits as one unified diff, with paths relative to a directory."""
    parts = []
    for path, (before, after) in sorted(outcome.files.items()):
        name = Path(path)
        shown = str(name.relative_to(start) if name.is_relative_to(start) else name)
        parts.append(text_diff(shown, before, after))
    return "".join(parts)


def proposal_diff(proposal: Proposal) -> str:
    """Return the edits of one proposal as a unified diff."""
    parts = []
    for source in dict.fromkeys(change.source for change in proposal.changes):
        after = tried(source, proposal.changes)
        parts.append(text_diff(source.shown, source.content, after))
    return "".join(parts)


def text_diff(shown: str, before: bytes, after: bytes) -> str:
    """Return the unified diff of one file, as `patch` and `git apply` take it."""
    old, new = (_lines(each.decode("utf-8", "replace")) for each in (before, after))
    made = difflib.unified_diff(old, new, f"a/{shown}", f"b/{shown}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in made
    )


def _lines(text: str) -> list[str]:
    """Return the lines of a text with their ends; only a newline ends one, as for `patch`."""
    return [line for line in re.split(r"(?<=\n)", text) if line]
