"""Which waits are the request's own: those at lines of the project."""

from __future__ import annotations

from collections.abc import Iterable

from freeloop.model.reading import Row
from freeloop.model.trace import Origin, Trace


def own_waits(trace: Trace, waits: Iterable[Row]) -> list[Row]:
    """Return the waits at lines of the project; without any, those of the request's own lane.

    Django starts tasks for itself that wait as long as the request lasts, for the client to go
    away: the longest wait of every request, and of no interest.
    """
    known = list(waits)
    own = [row for row in known if is_of_project(trace, row)]
    return own or [row for row in known if row.lane == 0]


def is_of_project(trace: Trace, row: Row) -> bool:
    """Whether a row is put down to a line of the project."""
    return row.place is not None and trace.places[row.place].origin is Origin.PROJECT
