"""Steps that Django takes around every view, folded into one line of the terminal's table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from freeloop.model.reading import Effect, Happening, Row
from freeloop.model.trace import Origin, Trace

# Two lines read as fast as the one that says that there were two.
LEAST_FOLDED = 3
FOLDED_WORDS = {
    Happening.HOP: ("hop to a thread", "hops to a thread"),
    Happening.MIDDLEWARE: ("middleware layer", "middleware layers"),
    Happening.RECEIVER: ("signal receiver", "signal receivers"),
    Happening.THREAD: ("thread started", "threads started"),
    Happening.TASK: ("task started", "tasks started"),
    Happening.SUSPENDED: ("wait", "waits"),
    Happening.RAN: ("stretch of running", "stretches of running"),
}


@dataclass(frozen=True, slots=True)
class Folded:
    """Rows in a row that are nobody's of the project.

    Attributes:
        rows: At least three.
        until_ns: When the next row begins.
    """

    rows: tuple[Row, ...]
    until_ns: int

    @property
    def words(self) -> str:
        """What there was, counted: "Django's own: 8 hops to a thread, 6 middleware layers"."""
        counts = Counter(row.what for row in self.rows)
        parts = (
            f"{counts[what]} {words[counts[what] > 1]}"
            for what, words in FOLDED_WORDS.items()
            if counts[what]
        )
        return f"Django's own: {', '.join(parts)}"


def folded(trace: Trace, rows: Sequence[Row]) -> Iterator[Row | Folded]:
    """Yield the rows, runs of three and more of Django's own as one."""
    done = 0
    for own, group in groupby(rows, key=lambda row: is_own(trace, row)):
        found = tuple(group)
        done += len(found)
        if own and len(found) >= LEAST_FOLDED:
            yield Folded(found, rows[done].start_ns if done < len(rows) else found[-1].end_ns)
        else:
            yield from found


def is_own(trace: Trace, row: Row) -> bool:
    """Whether a row tells what Django does around every view, at no line of the project."""
    place = None if row.place is None else trace.places[row.place]
    return (
        row.what in FOLDED_WORDS
        and not row.blocking
        and row.effect is not Effect.STALLS
        and (place is None or place.origin is not Origin.PROJECT)
    )
