"""Findings: what was done one after another though it may not have to."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from freeloop.judge.feeds import may_be_independent
from freeloop.judge.intervals import common, length_ns, union
from freeloop.judge.pairs import Pair, Pairs, pair_marks
from freeloop.judge.stacks import Standing, stacks_at
from freeloop.model.reading import Happening, Row, TraceFinding, Weakness
from freeloop.model.timeline import State, Timeline
from freeloop.model.trace import LaneKind, MarkKind, Origin, Trace
from freeloop.model.verdict import Basis

# Gathering costs a task each, some 50 microseconds: shorter waits are not worth it.
WAIT_NS = 1_000_000

# A queue for a thread below this is the price of any hop.
QUEUE_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Await:
    """One line of one function call that waited, perhaps several times below it."""

    place: int
    visit: int
    waits: tuple[Row, ...]

    @property
    def text(self) -> str:
        return self.waits[0].text if len(self.waits) == 1 else ""


def serial_awaits(timeline: Timeline, trace: Trace, rows: Sequence[Row]) -> list[TraceFinding]:
    """Return awaits one after another in one function whose results do not feed each other.

    The saving is estimated: all of them together would last as long as the longest; calls to the
    same thread run one after another all the same.
    """
    found = [
        TraceFinding(
            weakness=Weakness.SERIAL_AWAITS,
            basis=Basis.ESTIMATED,
            cost_ms=saved_ns / 1e6,
            places=tuple(dict.fromkeys(each.place for each in chain)),
            rows=tuple(row.number for each in chain for row in each.waits),
            text=trace.places[chain[0].place].function,
            count=len(chain),
        )
        for chain in _chains(trace, rows)
        if (saved_ns := _saving_ns(chain)) >= WAIT_NS
    ]
    # The same waits may be seen from a function and from its caller: the better cure counts.
    told: set[int] = set()
    best = []
    for finding in sorted(found, key=lambda each: -each.cost_ms):
        if told.isdisjoint(finding.rows):
            best.append(finding)
            told.update(finding.rows)
    return best


def serial_on_thread(timeline: Timeline, trace: Trace, rows: Sequence[Row]) -> list[TraceFinding]:
    """Return the threads that calls of several tasks queued for, while one of them was at work."""
    pairs = pair_marks(trace)
    return [
        finding
        for lane in trace.lanes
        if lane.kind is LaneKind.THREAD
        and (finding := _queue_for(lane.id, timeline, trace, pairs, rows)) is not None
    ]


def _chains(trace: Trace, rows: Sequence[Row]) -> Iterator[list[_Await]]:
    """Return neighbouring awaits of one function call that may be independent of each other."""
    for awaits in _by_function(trace, rows):
        chain: list[_Await] = []
        for each in awaits:
            together = all(
                may_be_independent(trace, (one.place, one.text), (each.place, each.text))
                for one in chain
            )
            if chain and not together:
                yield chain
                chain = []
            chain.append(each)
        yield chain


def _by_function(trace: Trace, rows: Sequence[Row]) -> Iterator[list[_Await]]:
    """Return the awaits of each function call in order, below which a task waited.

    Without line steps only the function that the await point lies in is known.
    """
    for lane in trace.lanes:
        waits = [
            row
            for row in rows
            if row.lane == lane.id
            and lane.kind is LaneKind.TASK
            and row.what in {Happening.SUSPENDED, Happening.HOP}
            and row.place is not None
            and _length_ns(row) >= WAIT_NS
        ]
        calls: dict[tuple[int, str], list[_Await]] = defaultdict(list)
        stacks = stacks_at(trace, lane.id, [row.start_ns for row in waits])
        for number, (row, stack) in enumerate(zip(waits, stacks, strict=True)):
            place = row.place or 0
            for standing in stack or (Standing(-1, place, number),):
                function = trace.places[standing.place].function if not stack else ""
                _add(calls[standing.frame, function], standing, row)
        yield from calls.values()


def _add(awaits: list[_Await], standing: Standing, row: Row) -> None:
    if awaits and (awaits[-1].place, awaits[-1].visit) == (standing.place, standing.visit):
        awaits[-1] = replace(awaits[-1], waits=(*awaits[-1].waits, row))
    else:
        awaits.append(_Await(standing.place, standing.visit, (row,)))


def _saving_ns(chain: Sequence[_Await]) -> int:
    """Return how much shorter the awaits are together: those on one thread still add up."""
    lengths = [sum(map(_length_ns, each.waits)) for each in chain]
    needed: dict[int | None, int] = defaultdict(int)
    for row in (row for each in chain for row in each.waits):
        if row.what is Happening.HOP:
            needed[row.other] += _length_ns(row)
    return sum(lengths) - max(*lengths, *needed.values(), 0)


def _queue_for(
    thread: int, timeline: Timeline, trace: Trace, pairs: Pairs, rows: Sequence[Row]
) -> TraceFinding | None:
    hops = {hop.id: hop for hop in pairs.of(MarkKind.HOP)}
    # A thread that waits for the loop takes the calls that come back to it: it is not at work.
    busy = [
        (each.start_ns, each.end_ns)
        for each in timeline.lanes[thread]
        if each.state is not State.HELD
    ]
    ends = [end_ns for _start_ns, end_ns in busy]
    lost = []
    involved = []
    for work in pairs.of(MarkKind.WORK, thread):
        hop = hops.get(work.id)
        if hop is None or work.start_ns - hop.start_ns < QUEUE_NS:
            continue
        first, last = bisect_right(ends, hop.start_ns), bisect_right(ends, work.start_ns)
        queued = common([(hop.start_ns, work.start_ns)], busy[first : last + 1])
        if length_ns(queued) >= QUEUE_NS:
            lost += queued
            involved.append(hop)
    if not involved:
        return None
    starts = {(hop.lane, hop.start_ns) for hop in involved}
    lines = [_line_of(hop, trace, pairs) for hop in involved]
    places = dict.fromkeys(place for place in lines if place is not None)
    return TraceFinding(
        weakness=Weakness.SERIAL_ON_THREAD,
        basis=Basis.MEASURED,
        cost_ms=length_ns(union(lost)) / 1e6,
        places=tuple(places),
        rows=tuple(
            row.number
            for row in rows
            if row.what is Happening.HOP and (row.lane, row.start_ns) in starts
        ),
        text=involved[0].text,
        count=len(involved),
    )


def _line_of(hop: Pair, trace: Trace, pairs: Pairs) -> int | None:
    """Return the line of a hop; of a task that is Django's code alone, the line that started it."""
    tasks = pairs.of(MarkKind.TASK, hop.lane)
    known = [place for place in (hop.place, *(task.place for task in tasks)) if place is not None]
    return next(
        (place for place in known if trace.places[place].origin is Origin.PROJECT),
        hop.place,
    )


def _length_ns(row: Row) -> int:
    return row.end_ns - row.start_ns
