"""Timeline to Demand: what the request took of each resource; one thread's time counts once."""

from __future__ import annotations

from collections.abc import Iterable

from freeloop.judge.intervals import Interval, length_ns, minus, union
from freeloop.judge.loop_threads import hosted_lanes
from freeloop.judge.pairs import Pairs, pair_marks
from freeloop.model.demand import Demand
from freeloop.model.timeline import Segment, State, Timeline
from freeloop.model.trace import LaneKind, MarkKind, Trace


def demand(trace: Trace, timeline: Timeline) -> Demand:
    """Return what the request needs of each resource, in milliseconds.

    Under WSGI the server's thread is the request's own lane, and it counts as a thread; a loop
    that Django started for an async view there counts as a loop.
    """
    pairs = pair_marks(trace)
    loop = on_loop(trace, pairs)
    threads = [timeline.lanes[lane] for lane in thread_lanes(trace)]
    connections = [
        timeline.lanes[lane.id] for lane in trace.lanes if lane.kind is LaneKind.CONNECTION
    ]
    working = [
        segment
        for lane, segments in zip(trace.lanes, timeline.lanes, strict=True)
        if lane.kind is not LaneKind.CONNECTION
        for segment in segments
    ]
    tasks = set(loop_lanes(trace))
    # The clocks of a thread with a loop of its own hold the CPU of its tasks already.
    hosted = {task for thread in thread_lanes(trace) for task in hosted_lanes(thread, trace, pairs)}
    used = [_times(segments, State.HELD) for segments in threads]
    away = minus([(0, timeline.duration_ns)], [*loop, *(each for part in used for each in part)])
    return Demand(
        total_ms=_ms(timeline.duration_ns),
        cpu_ms=_ms(sum(each.cpu_ns or 0 for each in working if each.lane not in hosted)),
        loop_ms=_ms(length_ns(loop)),
        blocked_ms=_ms(
            length_ns(
                (segment.start_ns, segment.end_ns)
                for segment in working
                if segment.lane in tasks and segment.state is State.BLOCKED
            )
        ),
        waiting_ms=_ms(length_ns(away)),
        thread_held_ms=_ms(sum(length_ns(_times(segments)) for segments in threads)),
        thread_used_ms=_ms(sum(length_ns(part) for part in used)),
        connection_held_ms=_ms(sum(length_ns(_times(segments)) for segments in connections)),
        connection_used_ms=_ms(
            sum(length_ns(_times(segments, State.HELD)) for segments in connections)
        ),
        unexplained_ms=_ms(sum(segment.unexplained_ns for segment in working)),
        hops=len(pairs.of(MarkKind.HOP)),
        backs=len(pairs.of(MarkKind.BACK)),
        threads_started=sum(mark.kind is MarkKind.THREAD_STARTED for mark in pairs.points),
        queries=len(pairs.of(MarkKind.QUERY)),
        tasks=len(pairs.of(MarkKind.TASK)),
    )


def loop_lanes(trace: Trace) -> tuple[int, ...]:
    """Return the lanes that run on an event loop."""
    return tuple(
        lane.id
        for lane in trace.lanes
        if lane.kind is LaneKind.TASK and not (lane.id == 0 and trace.request.interface == "wsgi")
    )


def thread_lanes(trace: Trace) -> tuple[int, ...]:
    """Return the lanes that are threads; under WSGI the request's own is one."""
    return tuple(
        lane.id
        for lane in trace.lanes
        if lane.kind is LaneKind.THREAD or (lane.id == 0 and trace.request.interface == "wsgi")
    )


def on_loop(trace: Trace, pairs: Pairs) -> list[Interval]:
    """Return when the request had an event loop, working or blocking it."""
    tasks = set(loop_lanes(trace))
    return union((run.start_ns, run.end_ns) for run in pairs.of(MarkKind.RUN) if run.lane in tasks)


def _times(segments: Iterable[Segment], unlike: State | None = None) -> list[Interval]:
    return [
        (segment.start_ns, segment.end_ns) for segment in segments if segment.state is not unlike
    ]


def _ms(ns: int) -> float:
    return ns / 1_000_000
