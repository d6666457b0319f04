"""Tally: collects the samples of one load and turns them into a LoadResult."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from freeloop.measure.load import LoadResult, Milliseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAMPLE_CHARACTERS = 400
_NS_PER_MS = 1e6
_NS_PER_S = 1e9
_FOREVER_NS = 1 << 62


class Tally:
    """Right answers as bare tuples (the hot path), failures by reason.

    Attributes:
        answers: One (due, sent, first body byte or 0, last byte) per right answer, nanoseconds.
        gaps_ns: Between the events of streams.
        until_ns: Answers that end later are not counted.
        late: Right answers that ended later.
        repeated: Requests sent again because the server had closed the connection meanwhile.
    """

    __slots__ = ("_failures", "_sample", "answers", "gaps_ns", "late", "repeated", "until_ns")

    def __init__(self) -> None:
        self.answers: list[tuple[int, int, int, int]] = []
        self.gaps_ns: list[int] = []
        self.until_ns = _FOREVER_NS
        self.late = 0
        self.repeated = 0
        self._failures: Counter[str] = Counter()
        self._sample: bytes | None = None

    def right(self, due_ns: int, sent_ns: int, first_ns: int, last_ns: int) -> None:
        """Count a right answer."""
        if last_ns > self.until_ns:
            self.late += 1
        else:
            self.answers.append((due_ns, sent_ns, first_ns, last_ns))

    def events(self, ends_ns: list[int]) -> None:
        """Keep the gaps of one right answer; ends_ns: sorted, one per event."""
        if ends_ns and ends_ns[-1] <= self.until_ns:
            self.gaps_ns += [later - earlier for earlier, later in pairwise(ends_ns)]

    def wrong(self, reason: str, body: bytes = b"", *, times: int = 1) -> None:
        """Count a failure; the first body that comes with one is kept."""
        self._failures[reason] += times
        if self._sample is None and body:
            self._sample = body[: 4 * _SAMPLE_CHARACTERS]

    def last_ns(self) -> int | None:
        """Return when the last right answer ended, None without one."""
        return max((answer[3] for answer in self.answers), default=None)

    def result(self, started_ns: int, ended_ns: int) -> LoadResult:
        """Return everything counted so far; the client's CPU is added by who measures it."""
        times = np.array(self.answers, dtype=np.int64).reshape(-1, 4)
        due, sent, first, last = times.T
        sample = (self._sample or b"").decode(errors="replace")[:_SAMPLE_CHARACTERS]
        return LoadResult(
            seconds=(ended_ns - started_ns) / _NS_PER_S,
            completed=len(times),
            failed=self._failures.total(),
            failures=dict(self._failures),
            latency_ms=_ms(last - due),
            first_byte_ms=_ms((first - sent)[first > 0]),
            gap_ms=_ms(np.array(self.gaps_ns, dtype=np.int64)),
            finished_ms=_ms(last - started_ns),
            sample_failure=sample,
            notes=tuple(self._notes()),
        )

    def _notes(self) -> list[str]:
        notes = []
        # Each connection has one at the end of a window; half of all means the window is short.
        if self.late and self.late >= len(self.answers):
            notes.append(f"{self.late} right answers came after the window and are not counted")
        if self.repeated:
            notes.append(
                f"{self.repeated} requests were sent again on a new connection, "
                "because the server had closed the kept-alive one"
            )
        return notes


def _ms(nanoseconds: NDArray[np.int64]) -> Milliseconds:
    return nanoseconds / _NS_PER_MS
