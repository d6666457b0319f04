"""`freeloop check --with`: findings joined with traces and with what watch reported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from freeloop.errors import FreeloopError
from freeloop.judge.join import Observation, join, observed_in_reports, observed_in_trace
from freeloop.model.finding import Findings
from freeloop.model.trace_codec import read_trace
from freeloop.source.reports import Followed


def with_observed(found: Findings, files: Sequence[Path]) -> Findings:
    """Return the findings with what they did cost, and what was only seen by running.

    Args:
        found: By reading.
        files: Traces (`freeloop trace --output`) and reports of watch (one JSON object a line,
            named .jsonl).

    Raises:
        FreeloopError: If a file is neither.
    """
    return join(found, [each for file in files for each in _observations(file)])


def _observations(file: Path) -> Iterator[Observation]:
    if file.suffix != ".jsonl":
        yield from observed_in_trace(read_trace(file))
        return
    followed = Followed([file])
    try:
        reports = list(followed.read())
    finally:
        followed.close()
    if followed.absent or (followed.unreadable and not reports):
        bad = followed.unreadable[0].first if followed.unreadable else "it is not there"
        raise FreeloopError(
            "no-reports",
            what="the file of reports cannot be read",
            where=f"{file}: {bad}",
            mend="give a file that freeloop's watch wrote, or a trace without .jsonl",
        )
    yield from observed_in_reports(reports)
