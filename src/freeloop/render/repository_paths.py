"""Findings with the paths that a forge knows: from the root of the repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from freeloop.model.finding import Finding, Findings, Fix
from freeloop.source.project import upwards


def seen_from_repository(found: Findings, start: Path) -> Findings:
    """Return the findings with paths from the root of the repository that `start` lies in.

    Paths outside of it, and all of them without a repository, stay as they are.

    Args:
        found: With paths relative to `start`, or absolute.
        start: Where freeloop was called; absolute.
    """
    root = next((each for each in upwards(start) if (each / ".git").exists()), None)
    if root is None:
        return found

    def moved(path: str) -> str:
        whole = start / path
        return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else path

    return replace(
        found,
        findings=tuple(_moved(finding, moved) for finding in found.findings),
        unread=tuple(replace(each, path=moved(each.path)) for each in found.unread),
    )


def _moved(finding: Finding, moved: Callable[[str], str]) -> Finding:
    return replace(
        finding,
        path=moved(finding.path),
        also=tuple(replace(place, path=moved(place.path)) for place in finding.also),
        chain=tuple(replace(step, path=moved(step.path)) for step in finding.chain),
        fix=None if finding.fix is None else _moved_fix(finding.fix, moved),
    )


def _moved_fix(fix: Fix, moved: Callable[[str], str]) -> Fix:
    return replace(fix, edits=tuple(replace(edit, path=moved(edit.path)) for edit in fix.edits))
