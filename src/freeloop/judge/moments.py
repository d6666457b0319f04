"""Key moments: the few rows of the execution table that are worth a look first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from freeloop.judge.awaits import started_by
from freeloop.judge.waits import own_waits
from freeloop.model.reading import Effect, Happening, Moment, MomentKind, Row
from freeloop.model.trace import Trace

# Shorter waits come with every await and say nothing of the request.
WAIT_NS = 1_000_000

_POINTS = {
    Happening.FIRST_BYTE: MomentKind.FIRST_BYTE,
    Happening.RAISED: MomentKind.RAISED,
}
_WAITS = frozenset({Happening.SUSPENDED, Happening.HOP})


def moments(trace: Trace, rows: Sequence[Row]) -> tuple[Moment, ...]:
    """Return the key moments of a request, by time."""
    waits = own_waits(
        trace, [row for row in rows if row.what in _WAITS and _length_ns(row) >= WAIT_NS]
    )
    hops = [row for row in rows if row.what is Happening.HOP]
    queries = [row for row in rows if row.what is Happening.QUERY]
    stalls = [row for row in rows if row.effect is Effect.STALLS]
    longest_wait, slowest = _longest(waits), _longest(queries)
    found = [
        _moment(MomentKind.FIRST_WAIT, _unless(waits[:1], longest_wait)),
        _moment(MomentKind.LONGEST_WAIT, longest_wait),
        _moment(MomentKind.LONGEST_BLOCK, _longest(stalls)),
        _moment(MomentKind.FIRST_HOP, hops[:1]),
        _queue(hops),
        _most_at_once(trace, waits),
        _moment(MomentKind.FIRST_QUERY, _unless(queries[:1], slowest)),
        _moment(MomentKind.SLOWEST_QUERY, slowest),
        *(
            _moment(MomentKind.FIRST_BYTE, [row])
            for row in rows
            if row.what is Happening.FIRST_BYTE
        ),
        *(_moment(MomentKind.RAISED, [row]) for row in rows if row.what is Happening.RAISED),
    ]
    known = [moment for moment in found if moment is not None]
    return tuple(sorted(known, key=lambda moment: (moment.at_ns, moment.row)))


def _length_ns(row: Row) -> int:
    return row.end_ns - row.start_ns


def _longest(rows: Sequence[Row]) -> list[Row]:
    return [max(rows, key=_length_ns)] if rows else []


def _unless(rows: Iterable[Row], told: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row not in told]


def _moment(kind: MomentKind, rows: Sequence[Row]) -> Moment | None:
    if not rows:
        return None
    row = rows[0]
    length_ns = _length_ns(row)
    return Moment(kind, row.start_ns, row.number, length_ns / 1e6 if length_ns else None)


def _queue(hops: Sequence[Row]) -> Moment | None:
    queued = [hop for hop in hops if hop.queued_ns >= WAIT_NS]
    if not queued:
        return None
    row = max(queued, key=lambda hop: hop.queued_ns)
    return Moment(MomentKind.LONGEST_QUEUE, row.start_ns, row.number, row.queued_ns / 1e6)


def _most_at_once(trace: Trace, waits: Sequence[Row]) -> Moment | None:
    """Return when the most waits were open at once, if that was more than one.

    A task that waits for a task that it started waits for nothing of its own.
    """
    most: tuple[Row, int] | None = None
    for row in waits:
        open_now = [each for each in waits if each.start_ns <= row.start_ns < each.end_ns]
        lanes = {each.lane for each in open_now}
        own = {lane for lane in lanes if lanes.isdisjoint(started_by(trace, lane))}
        if len(own) > 1 and (most is None or len(own) > most[1]):
            most = row, len(own)
    if most is None:
        return None
    row, count = most
    return Moment(MomentKind.MOST_AT_ONCE, row.start_ns, row.number, count=count)
