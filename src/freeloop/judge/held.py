"""Findings: connections and threads that were kept for the request and not used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from freeloop.judge.execution import HELD_SHARE
from freeloop.judge.intervals import Interval, common, length_ns
from freeloop.judge.pairs import Pairs, pair_marks
from freeloop.judge.waits import own_waits
from freeloop.model.reading import Happening, Row, TraceFinding, Weakness
from freeloop.model.timeline import State, Timeline
from freeloop.model.trace import Lane, LaneKind, MarkKind, Trace
from freeloop.model.verdict import Basis

# Less is what giving back and fetching again would cost at times: a hop, a round trip to the
# database that opens a connection.
UNUSED_NS = 10_000_000

_WAITS = frozenset({Happening.SUSPENDED, Happening.OUTBOUND, Happening.BLOCKED, Happening.SLEEP})


def unused_connections(timeline: Timeline, trace: Trace, rows: Sequence[Row]) -> list[TraceFinding]:
    """Return the connections that were held for most of their time without a query."""
    pairs = pair_marks(trace)
    return _unused(timeline, trace, rows, pairs, (LaneKind.CONNECTION, Weakness.CONNECTION_UNUSED))


def unused_threads(timeline: Timeline, trace: Trace, rows: Sequence[Row]) -> list[TraceFinding]:
    """Return the threads that were reserved for most of their time without work."""
    pairs = pair_marks(trace)
    return _unused(timeline, trace, rows, pairs, (LaneKind.THREAD, Weakness.THREAD_UNUSED))


def _unused(
    timeline: Timeline,
    trace: Trace,
    rows: Sequence[Row],
    pairs: Pairs,
    kind: tuple[LaneKind, Weakness],
) -> list[TraceFinding]:
    found = []
    for lane in trace.lanes:
        segments = timeline.lanes[lane.id]
        idle = [(each.start_ns, each.end_ns) for each in segments if each.state is State.HELD]
        unused_ns = length_ns(idle)
        held_ns = sum(each.end_ns - each.start_ns for each in segments)
        if lane.kind is not kind[0] or unused_ns < max(UNUSED_NS, HELD_SHARE * held_ns):
            continue
        waits = own_waits(trace, _waits_during(rows, idle))
        places = [_taken_at(lane, pairs)]
        if lane.kind is LaneKind.CONNECTION:  # a thread is not kept because of the line that waits
            places += [wait.place for wait in waits[:1]]
        found.append(
            TraceFinding(
                weakness=kind[1],
                basis=Basis.MEASURED,
                cost_ms=unused_ns / 1e6,
                places=tuple(dict.fromkeys(place for place in places if place is not None)),
                rows=tuple(sorted(wait.number for wait in waits)),
                text=lane.name,
            )
        )
    return found


def _taken_at(lane: Lane, pairs: Pairs) -> int | None:
    """Return the line that first took it."""
    kinds = (MarkKind.CONNECTION, MarkKind.WORK)
    return next((pair.place for pair in pairs.on(lane.id) if pair.kind in kinds), None)


def _waits_during(rows: Iterable[Row], idle: Sequence[Interval]) -> list[Row]:
    """Return the waits that it was held over, longest first; short ones are left out."""
    found = [
        (length_ns(common([(row.start_ns, row.end_ns)], idle)), row)
        for row in rows
        if row.what in _WAITS
    ]
    found.sort(key=lambda each: (-each[0], each[1].number))
    return [row for ns, row in found if ns >= UNUSED_NS // 10]
