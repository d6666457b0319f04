"""What a task does while it has not got the loop: waits, in a queue, on a thread, for its turn."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from freeloop.judge.pairs import CALLS, Pair, Pairs
from freeloop.model.timeline import Segment, State
from freeloop.model.trace import LaneKind, MarkKind, Trace

# Between two tasks that are ready the loop takes less; a longer pause means that it was idle, so
# whoever ran before it did not keep the later one from running.
LOOP_TURN_NS = 300_000


class Turns:
    """What all lanes of a trace need to know of each other, gathered once.

    Attributes:
        works: By the id of their hop.
        runs: Of all tasks, in order.
        position: Index in `runs` by the run's order.
        last: Order of the last run of a lane.
    """

    def __init__(self, trace: Trace, pairs: Pairs) -> None:
        tasks = {lane.id for lane in trace.lanes if lane.kind is LaneKind.TASK}
        self.works = {work.id: work for work in pairs.of(MarkKind.WORK)}
        self.runs = sorted(
            (run for run in pairs.of(MarkKind.RUN) if run.lane in tasks),
            key=lambda run: (run.start_ns, run.order),
        )
        self.position = {run.order: index for index, run in enumerate(self.runs)}
        self.last = {run.lane: run.order for run in self.runs}


class Awaits:
    """One task lane outside of its runs.

    Attributes:
        cuts: Times at which its state may change although none of its own pairs begins or ends.
    """

    def __init__(self, lane: int, trace: Trace, pairs: Pairs, turns: Turns) -> None:
        hops = pairs.of(MarkKind.HOP, lane)
        works = turns.works
        self._lane = lane
        self._runs = sorted(pairs.of(MarkKind.RUN, lane), key=lambda run: run.start_ns)
        self._ended_ns = ended_ns(lane, pairs)
        self._starts = [run.start_ns for run in self._runs]
        self._works = {hop.id: works[hop.id] for hop in hops if hop.id in works}
        self._ready_from = _ready_from(self._runs, trace, turns)
        self.cuts = [
            *(at for work in self._works.values() for at in (work.start_ns, work.end_ns)),
            *self._ready_from.values(),
            *map(_earliest_ns, pairs.of(MarkKind.SLEEP, lane)),
        ]

    def state(self, start_ns: int, end_ns: int, active: Sequence[Pair]) -> Segment:
        """Return what the lane did from start to end, where it had no run."""
        begun = bisect_right(self._starts, start_ns)
        if self._runs and not begun:
            # Made, and not yet run for the first time.
            return Segment(self._lane, start_ns, end_ns, State.READY)
        before = self._runs[begun - 1] if begun else None
        if self._ended_ns is not None and start_ns >= self._ended_ns:
            # Over, and whoever waits for it is still to be told.
            return Segment(self._lane, start_ns, end_ns, State.READY)
        awaited = [
            pair
            for pair in active
            if pair.kind in CALLS | {MarkKind.HOP} and not _given_up(pair, before)
        ]
        source = awaited[-1] if awaited else before
        place = _await_point(before, source)
        if source is not None and source.kind is MarkKind.HOP:
            state, source = self._hop_state(start_ns, [p for p in awaited if p.kind is source.kind])
        else:
            ready_ns = self._ready_from.get(begun)
            ready = ready_ns is not None and start_ns >= max(ready_ns, _earliest_ns(source))
            state = State.READY if ready else State.SUSPENDED
        return Segment(
            lane=self._lane,
            start_ns=start_ns,
            end_ns=end_ns,
            state=state,
            place=place,
            text=_text(before, source),
            mark=source.id if source else None,
            kind=source.kind.value if source else "",
        )

    def _hop_state(self, at_ns: int, hops: Sequence[Pair]) -> tuple[State, Pair]:
        """Return the state of a lane that waits for hops, and the hop that it is put down to.

        Several are open where futures of an executor are gathered: then one at work counts before
        one in the queue, and only when all are done the lane is ready.
        """
        queued: Pair | None = None
        for hop in hops:
            work = self._works.get(hop.id)
            if work is None or at_ns < work.start_ns:
                queued = queued or hop
            elif at_ns < work.end_ns:
                return State.OFFLOADED, hop
        return (State.QUEUED, queued) if queued else (State.READY, hops[-1])


def ended_ns(lane: int, pairs: Pairs) -> int | None:
    """Return when a task returned or raised, by the mark of its last run; None if never."""
    ends = [run.end_ns for run in pairs.of(MarkKind.RUN, lane) if run.detail.get("ended")]
    return max(ends, default=None)


def _given_up(pair: Pair, before: Pair | None) -> bool:
    """Whether a pair that never ended was left by a cancellation: its lane has run since."""
    return pair.end is None and before is not None and pair.start_ns < before.start_ns


def _earliest_ns(awaited: Pair | None) -> int:
    """Return when an await can be over at the earliest: a sleep tells how long it is to last."""
    asked_ms = awaited.detail.get("asked_ms") if awaited else None
    if awaited is None or not isinstance(asked_ms, int | float):
        return 0
    return awaited.start_ns + int(asked_ms * 1_000_000)


def _await_point(before: Pair | None, source: Pair | None) -> int | None:
    if before is not None and before.end is not None and before.end.place is not None:
        return before.end.place
    return source.place if source else None


def _text(before: Pair | None, source: Pair | None) -> str:
    text = source.text if source else ""
    return text or (before.text if before else "")


def _ready_from(runs: Sequence[Pair], trace: Trace, turns: Turns) -> dict[int, int]:
    """Return, by the number of a lane's run, since when it could have begun.

    It waited for its turn while other tasks of the request ran directly before it. How long
    before its run it was woken is not recorded: this is the longest it can have been. Two things
    bound it: in one turn of the loop each task runs once, and a child's last run, or one in which
    the lane itself was awaited, is what wakes the lane.
    """
    below = started_by(trace, runs[0].lane) if runs else set()
    found: dict[int, int] = {}
    for number, run in enumerate(runs[1:], start=1):
        suspended_ns = runs[number - 1].end_ns
        since_ns = run.start_ns
        seen = {run.lane}
        for before in range(turns.position.get(run.order, 0) - 1, -1, -1):
            other = turns.runs[before]
            pause_ns = since_ns - other.end_ns
            finished = other.lane in below and turns.last[other.lane] == other.order
            if not 0 <= pause_ns <= LOOP_TURN_NS or other.lane in seen or finished:
                break
            if other.end_ns <= suspended_ns:
                break
            seen.add(other.lane)
            since_ns = max(other.start_ns, suspended_ns)
        if since_ns < run.start_ns:
            found[number] = since_ns
    return found


def started_by(trace: Trace, lane: int) -> set[int]:
    """Return the lanes that a lane started, directly or not."""
    found: set[int] = set()
    for each in sorted(trace.lanes, key=lambda each: each.id):
        if each.parent == lane or each.parent in found:
            found.add(each.id)
    return found
