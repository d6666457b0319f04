"""`freeloop check --baseline` and `--write-baseline`: known findings, left out and renewed."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from freeloop.errors import FreeloopError
from freeloop.model.baseline import baseline_of, without_known
from freeloop.model.baseline_codec import baseline_text, read_baseline
from freeloop.model.finding import Finding, Findings


def compare(found: Findings, file: Path, looked_for: Collection[str]) -> Findings:
    """Return what a baseline does not have; see `without_known`."""
    return without_known(found, read_baseline(file), looked_for)


def renew(findings: Sequence[Finding], file: Path, start: Path) -> tuple[int, int]:
    """Write findings as known ones.

    Args:
        findings: With paths relative to `start`, or absolute.
        file: Made, or written over.
        start: Where freeloop was called.

    Returns:
        How many entries are new in the file, and how many left it.

    Raises:
        FreeloopError: `cannot-write`.
    """
    folder = file.absolute().parent
    fresh = baseline_of(
        findings, lambda path: Path(os.path.relpath(start / path, folder)).as_posix()
    )
    before = {entry.fingerprint for entry in (read_baseline(file) if file.exists() else ())}
    now = {entry.fingerprint for entry in fresh}
    try:
        file.write_text(baseline_text(fresh), encoding="utf-8")
    except OSError as error:
        raise FreeloopError(
            "cannot-write",
            what=f"cannot write {file}: {error.strerror}",
            where=str(folder),
            mend="name a file in a directory that exists",
        ) from error
    return len(now - before), len(before - now)
