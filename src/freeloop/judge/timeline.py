"""Trace to Timeline: each lane cut into stretches of one state; the request's lane tiled exactly.

Each lane is cut at every begin and end that can change its state, and each piece is asked what was
going on then. So the pieces tile a lane whatever the marks are: nested, torn, at equal times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from freeloop.judge.awaits import Awaits, Turns, ended_ns
from freeloop.judge.clocks import Stretch, share_out, split_starved, stretches
from freeloop.judge.guilty import Guilty
from freeloop.judge.loop_threads import hosted_runs
from freeloop.judge.pairs import CALLS, Pair, Pairs, pair_marks
from freeloop.judge.pieces import pieces
from freeloop.model.timeline import Segment, State, Timeline
from freeloop.model.trace import Lane, LaneKind, Mark, MarkKind, Trace

# These have their thread: a run the loop's, a work its own; within a BACK the thread only waits.
ACTIVE = frozenset({MarkKind.RUN, MarkKind.WORK, MarkKind.BACK})

# These say what a stretch belongs to.
AROUND = frozenset(
    {MarkKind.VIEW, MarkKind.MIDDLEWARE, MarkKind.RECEIVER, MarkKind.TEMPLATE, MarkKind.CACHE}
)

# A call that computed for at least this share of its time did not wait: a file in the page cache,
# a local-memory cache, SQLite.
COMPUTED_SHARE = 0.5

# Caches that never leave the process: what they take is work.
MEMORY_CACHES = ("LocMemCache", "DummyCache")

# A stretch is put down to a line that took at least this share of it; else to what it belongs to.
GUILTY_SHARE = 0.5


def timeline(trace: Trace) -> Timeline:
    """Return what each lane of a trace did when.

    Lane 0 is cut to the request; other lanes keep what they did after it.
    """
    pairs = pair_marks(trace)
    guilty = Guilty(trace)
    turns = Turns(trace, pairs)
    return Timeline(
        duration_ns=pairs.duration_ns,
        lanes=tuple(
            _connection_lane(lane, pairs)
            if lane.kind is LaneKind.CONNECTION
            else _working_lane(lane, trace, pairs, guilty, turns)
            for lane in trace.lanes
        ),
    )


def queries_on(connection: Lane, pairs: Pairs) -> list[Pair]:
    """Return the queries that ran on a connection.

    A query may name its connection's lane in `detail["connection"]`; one that does not is taken
    for a query of the lane that opened the connection.
    """
    return [
        query
        for query in pairs.of(MarkKind.QUERY)
        if query.detail.get("connection", connection.id if query.lane == connection.parent else -1)
        == connection.id
    ]


def owned_by_request(thread: Lane, pairs: Pairs) -> bool:
    """Whether a thread serves this request alone until the request ends.

    Django gives each request an executor of one thread for its thread-sensitive calls: it is
    started within the request, and its hops name an executor. A thread of the loop's own executor,
    which a hop without an executor goes to, is free again after each call.
    """
    works = {work.id for work in pairs.of(MarkKind.WORK, thread.id)}
    return any(
        hop.id in works
        and hop.detail.get("how") == "thread"
        and hop.detail.get("executor") != "NoneType"
        for hop in pairs.of(MarkKind.HOP)
    )


def waited(call: Pair) -> bool:
    """Whether a call kept its thread waiting, not at work, by the clocks read at its ends."""
    begin, end = call.begin, call.end
    if call.kind is MarkKind.CACHE and call.text.endswith(MEMORY_CACHES):
        return False
    if end is None or begin.cpu_ns is None or end.cpu_ns is None:
        return True
    return end.cpu_ns - begin.cpu_ns < COMPUTED_SHARE * call.length_ns


def _connection_lane(lane: Lane, pairs: Pairs) -> tuple[Segment, ...]:
    def judge(start_ns: int, end_ns: int, active: Sequence[Pair]) -> Segment | None:
        held = next((pair for pair in active if pair.kind is MarkKind.CONNECTION), None)
        if held is None:
            return None
        query = next((pair for pair in active if pair.kind is MarkKind.QUERY), None)
        state = State.USED if query else State.HELD
        return _segment(lane, start_ns, end_ns, state, query or held)

    return tuple(
        pieces([*pairs.of(MarkKind.CONNECTION, lane.id), *queries_on(lane, pairs)], (), judge)
    )


def _working_lane(
    lane: Lane, trace: Trace, pairs: Pairs, guilty: Guilty, turns: Turns
) -> tuple[Segment, ...]:
    extent = _extent(lane, pairs)
    if extent is None:
        return ()
    mine = pairs.on(lane.id)
    awaits = Awaits(lane.id, trace, pairs, turns) if lane.kind is LaneKind.TASK else None
    hosted = hosted_runs(lane.id, trace, pairs)
    # Under WSGI the request's own lane is a thread, and it is there from the start.
    kept = lane.kind is LaneKind.THREAD and (lane.id == 0 or owned_by_request(lane, pairs))

    def judge(start_ns: int, end_ns: int, active: Sequence[Pair]) -> Segment | None:
        if start_ns < extent[0] or end_ns > extent[1]:
            return None
        if any(pair.kind in ACTIVE for pair in active):
            segment = _having_thread(lane, start_ns, end_ns, active)
            if hosted and not any(since <= start_ns < until for since, until in hosted):
                return replace(segment, state=State.HELD)
            return segment
        if awaits is not None:
            return awaits.state(start_ns, end_ns, active)
        return Segment(lane.id, start_ns, end_ns, State.HELD) if kept else None

    cutting = [pair for pair in mine if pair.kind in ACTIVE | CALLS | {MarkKind.HOP}]
    cuts = [*extent, *(awaits.cuts if awaits else ()), *(at for run in hosted for at in run)]
    segments = share_out(pieces(cutting, cuts, judge), _readings(lane, trace, mine))
    if hosted:
        # Its tasks tell what they waited for; told twice it would count twice.
        segments = [replace(segment, unexplained_ns=0) for segment in segments]
    around = [pair for pair in mine if pair.kind in AROUND]
    return tuple(
        _put_down(segment, around, guilty) if segment.state is State.RUNNING else segment
        for segment in split_starved(segments)
    )


def _extent(lane: Lane, pairs: Pairs) -> tuple[int, int] | None:
    """Return from when to when a lane exists; None if it did nothing."""
    if lane.id == 0:
        return 0, pairs.duration_ns
    kinds = ACTIVE | {MarkKind.TASK}
    mine = [pair for pair in pairs.on(lane.id) if pair.kind in kinds]
    if not mine:
        return None
    end_ns = max(pair.end_ns for pair in mine)
    if (over_ns := ended_ns(lane.id, pairs)) is not None:
        end_ns = over_ns
    if lane.kind is LaneKind.THREAD and owned_by_request(lane, pairs):
        end_ns = max(end_ns, pairs.duration_ns)
    return min(pair.start_ns for pair in mine), end_ns


def _having_thread(lane: Lane, start_ns: int, end_ns: int, active: Sequence[Pair]) -> Segment:
    base = [pair for pair in active if pair.kind in ACTIVE][-1]
    if base.kind is MarkKind.BACK:
        return _segment(lane, start_ns, end_ns, State.HELD, base)
    call = next((pair for pair in active if _within(pair, base) and waited(pair)), None)
    if call is not None:
        return _segment(lane, start_ns, end_ns, State.BLOCKED, call)
    return Segment(lane.id, start_ns, end_ns, State.RUNNING, mark=base.id, kind=base.kind.value)


def _within(call: Pair, base: Pair) -> bool:
    """Whether a call began and ended in one run: one that was awaited gave the loop back."""
    return (
        call.kind in CALLS
        and call.end is not None
        and call.detail.get("how") != "await"
        and call.start_ns >= base.start_ns
        and call.end_ns <= base.end_ns
    )


def _segment(lane: Lane, start_ns: int, end_ns: int, state: State, source: Pair) -> Segment:
    return Segment(
        lane=lane.id,
        start_ns=start_ns,
        end_ns=end_ns,
        state=state,
        place=source.place,
        text=source.text,
        mark=source.id,
        kind=source.kind.value,
    )


def _readings(lane: Lane, trace: Trace, mine: Sequence[Pair]) -> list[Stretch]:
    """Return what the clocks of the lane's thread say, run by run.

    Between two runs of a task its thread does other things: a stretch never spans them.
    """
    marks = [mark for mark in trace.marks if mark.lane == lane.id and mark.cpu_ns is not None]
    found: list[Stretch] = []
    end_ns = first = 0
    for pair in sorted(mine, key=lambda pair: (pair.start_ns, pair.order)):
        if pair.kind not in ACTIVE or pair.end_ns <= end_ns:
            continue
        own: list[Mark] = []
        start_ns = max(pair.start_ns, end_ns)
        while first < len(marks) and marks[first].at_ns < start_ns:
            first += 1
        own = [mark for mark in marks[first:] if mark.at_ns <= pair.end_ns]
        found += stretches(own)
        end_ns = pair.end_ns
    return found


def _put_down(segment: Segment, around: Sequence[Pair], guilty: Guilty) -> Segment:
    """Return a running segment with its line, and what most of it belonged to.

    A run does not end where a view begins: the last middleware calls it in the same breath.
    """
    length_ns = segment.end_ns - segment.start_ns
    around = [
        pair
        for pair in around
        if min(pair.end_ns, segment.end_ns) - max(pair.start_ns, segment.start_ns)
        >= GUILTY_SHARE * length_ns
    ]
    text = around[-1].text if around else ""
    lines = guilty.lines(segment.lane, segment.start_ns, segment.end_ns)
    if lines and lines[0][1] >= GUILTY_SHARE * length_ns:
        return replace(segment, place=lines[0][0], text=text)
    return replace(segment, place=around[-1].place if around else None, text=text)
