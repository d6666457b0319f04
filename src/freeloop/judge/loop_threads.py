"""Threads that an event loop of their own runs on: Django's for an async view under WSGI.

Their work is what their tasks do; between the tasks' runs the thread waits, whatever its WORK says.
"""

from __future__ import annotations

from freeloop.judge.awaits import started_by
from freeloop.judge.intervals import Interval, minus, union
from freeloop.judge.pairs import Pairs
from freeloop.model.trace import LaneKind, MarkKind, Trace


def hosted_lanes(thread: int, trace: Trace, pairs: Pairs) -> set[int]:
    """Return the tasks that ran on a loop of this thread; none for one that works itself.

    A thread that waits for a call back to the loop has started a task too, but while it waits.
    """
    if trace.lanes[thread].kind is not LaneKind.THREAD:
        return set()
    works = [(work.start_ns, work.end_ns) for work in pairs.of(MarkKind.WORK, thread)]
    backs = [(back.start_ns, back.end_ns) for back in pairs.of(MarkKind.BACK, thread)]
    working = minus(works, backs)
    found: set[int] = set()
    for lane in trace.lanes:
        if lane.parent == thread and lane.kind is LaneKind.TASK:
            runs = _runs({lane.id}, pairs)
            if runs and not minus(runs, working):
                found |= {lane.id, *started_by(trace, lane.id)}
    return {lane for lane in found if trace.lanes[lane].kind is LaneKind.TASK}


def hosted_runs(thread: int, trace: Trace, pairs: Pairs) -> list[Interval]:
    """Return when a task had the loop of this thread."""
    return _runs(hosted_lanes(thread, trace, pairs), pairs)


def _runs(lanes: set[int], pairs: Pairs) -> list[Interval]:
    return union((run.start_ns, run.end_ns) for run in pairs.of(MarkKind.RUN) if run.lane in lanes)
