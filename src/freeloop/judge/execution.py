"""The execution table: what happened, in order of time, and what it meant for other requests."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from freeloop.judge.demand import loop_lanes
from freeloop.judge.intervals import Interval, common, length_ns
from freeloop.judge.pairs import CALLS, Pair, Pairs, pair_marks
from freeloop.model.reading import Effect, Happening, Row
from freeloop.model.timeline import Segment, State, Timeline
from freeloop.model.trace import LaneKind, Mark, MarkKind, Origin, Trace

# Computing for less than this is what serving takes anyway: twice the interval after which the
# interpreter lets another thread run.
STALL_NS = 10_000_000

# A call that waits has no business on the loop, so less is too much already. Still shorter ones
# are told as what they are, a file read or a lock taken, and stall nobody.
BLOCK_NS = 1_000_000

# A run that is shorter than this only separates what it lies between.
RUN_NS = 1_000_000

# A lock that was free, a file that was there, a turn of the loop that Django takes: rows that say
# nothing.
TRIFLE_NS = 100_000

# A wait during which something was held for at least this share is put down to what it held.
HELD_SHARE = 0.5

_SPANS = {
    MarkKind.MIDDLEWARE: Happening.MIDDLEWARE,
    MarkKind.RECEIVER: Happening.RECEIVER,
    MarkKind.TEMPLATE: Happening.TEMPLATE,
}
_POINTS = {
    MarkKind.THREAD_STARTED: Happening.THREAD,
    MarkKind.FIRST_BYTE: Happening.FIRST_BYTE,
    MarkKind.RAISED: Happening.RAISED,
}
_INNER = frozenset({MarkKind.LOCK, MarkKind.FILE, MarkKind.SLEEP})
_ON = frozenset({State.RUNNING, State.STARVED})
_OFF = frozenset({State.SUSPENDED, State.READY})


def execution(trace: Trace, timeline: Timeline) -> tuple[Row, ...]:
    """Return the rows of the execution table, by time."""
    table = _Table(trace, timeline)
    rows = [
        *table.request(),
        *table.spans(),
        *table.tasks(),
        *table.stretches(),
        *table.hops(),
        *table.calls(),
        *table.points(),
    ]
    first = {Happening.REQUEST: -1, Happening.RETURNED: 1}
    rows.sort(
        key=lambda row: (
            row.start_ns,
            first.get(row.what, 0),
            row.end_ns > row.start_ns,  # what was started comes before what it then did
            -row.end_ns,
        )
    )
    return tuple(replace(row, number=number) for number, row in enumerate(rows, start=1))


class _Table:
    def __init__(self, trace: Trace, timeline: Timeline) -> None:
        self._trace = trace
        self._timeline = timeline
        self._pairs: Pairs = pair_marks(trace)
        self._loop = frozenset(loop_lanes(trace))
        # Tasks, and the thread of a request under WSGI: what they do is told stretch by stretch.
        self._own = sorted(self._loop | {0})
        self._shared_loop = trace.request.interface == "asgi"
        self._starts = [[segment.start_ns for segment in lane] for lane in timeline.lanes]
        self._idle = {
            kind: [
                (segment.start_ns, segment.end_ns)
                for lane, segments in zip(trace.lanes, timeline.lanes, strict=True)
                if lane.kind is kind
                for segment in segments
                if segment.state is State.HELD
            ]
            for kind in (LaneKind.CONNECTION, LaneKind.THREAD)
        }

    def request(self) -> Iterator[Row]:
        request, end_ns = self._trace.request, self._timeline.duration_ns
        yield _row(0, 0, 0, Happening.REQUEST, text=f"{request.method} {request.path}")
        for view in self._pairs.of(MarkKind.VIEW):
            at_ns, place = view.start_ns, self._first_line(view)
            yield _row(at_ns, at_ns, view.lane, Happening.ENTERED, place, view.text)
        said = request.error if request.status is None else str(request.status)
        yield _row(end_ns, end_ns, 0, Happening.RETURNED, text=said)

    def spans(self) -> Iterator[Row]:
        for kind, what in _SPANS.items():
            for pair in self._pairs.of(kind):
                if not self._is_hop_itself(pair):
                    yield _row(pair.start_ns, pair.end_ns, pair.lane, what, pair.place, pair.text)

    def tasks(self) -> Iterator[Row]:
        for task in self._pairs.of(MarkKind.TASK):
            parent = self._trace.lanes[task.lane].parent
            lane = task.lane if parent is None else parent
            yield replace(
                _row(task.start_ns, task.start_ns, lane, Happening.TASK, task.place, task.text),
                other=task.lane,
            )

    def stretches(self) -> Iterator[Row]:
        """Return what each task did from its segments: ran, blocked, waited."""
        for lane in self._own:
            for group in _grouped(self._timeline.lanes[lane]):
                if (row := self._stretch(group)) is not None:
                    yield row

    def hops(self) -> Iterator[Row]:
        works = {work.id: work for work in self._pairs.of(MarkKind.WORK)}
        for hop in self._pairs.of(MarkKind.HOP):
            work = works.get(hop.id)
            yield Row(
                number=0,
                start_ns=hop.start_ns,
                end_ns=hop.end_ns,
                lane=hop.lane,
                what=Happening.HOP,
                place=hop.place,
                text=hop.text,
                state=State.OFFLOADED,
                effect=Effect.HOLDS,
                other=work.lane if work else None,
                queued_ns=max(0, work.start_ns - hop.start_ns) if work else 0,
            )
        for back in self._pairs.of(MarkKind.BACK):
            yield replace(
                _row(back.start_ns, back.end_ns, back.lane, Happening.BACK, back.place, back.text),
                state=State.HELD,
                effect=Effect.HOLDS,
            )

    def calls(self) -> Iterator[Row]:
        """Return the calls that no stretch tells of already."""
        told = {
            (segment.kind, segment.mark)
            for lane in self._own
            for segment in self._timeline.lanes[lane]
            if segment.state in _OFF or (segment.state is State.BLOCKED and _is_stall(segment))
        }
        around: dict[int, int] = {}
        for call in sorted(
            (pair for kind in CALLS for pair in self._pairs.of(kind)),
            key=lambda pair: (pair.start_ns, pair.order),
        ):
            inner = call.end_ns <= around.get(call.lane, -1)
            around[call.lane] = max(around.get(call.lane, -1), call.end_ns)
            trifle = inner or call.length_ns < TRIFLE_NS
            if (call.kind.value, call.id) in told or (call.kind in _INNER and trifle):
                continue
            yield self._call(call)

    def points(self) -> Iterator[Row]:
        for mark in self._pairs.points:
            if (what := _POINTS.get(mark.kind)) is not None:
                yield _point(mark, what)

    def _first_line(self, view: Pair) -> int | None:
        """Return where a view begins: its mark was made by the caller, one line before."""
        return next(
            (
                step.place
                for step in self._trace.steps
                if step.lane == view.lane and view.start_ns <= step.at_ns <= view.end_ns
            ),
            view.place,
        )

    def _is_hop_itself(self, span: Pair) -> bool:
        """Whether a call is all that a hop was made for: the row of the hop tells of it."""
        return any(
            work.text == span.text and work.start_ns <= span.start_ns and span.end_ns <= work.end_ns
            for work in self._pairs.of(MarkKind.WORK, span.lane)
        )

    def _stretch(self, group: Sequence[Segment]) -> Row | None:
        first, last = group[0], group[-1]
        length_ns = last.end_ns - first.start_ns
        if first.state in _OFF:
            named = next((each for each in group if each.state is State.SUSPENDED), None)
            if named is None or (length_ns < TRIFLE_NS and not self._in_project(named)):
                return None
            return self._stretch_row(
                group, Happening.SUSPENDED, named, self._waiting(first.start_ns, last.end_ns)
            )
        if first.state in _ON and length_ns >= RUN_NS:
            longest = max(group, key=lambda each: each.end_ns - each.start_ns)
            own_ns = sum(e.end_ns - e.start_ns for e in group if e.state is State.RUNNING)
            stalls = self._stalls(first.lane) and own_ns >= STALL_NS
            effect = Effect.STALLS if stalls else self._own_thread(first.lane)
            return self._stretch_row(group, Happening.RAN, longest, effect)
        if first.state is State.BLOCKED and _is_stall(first):
            effect = Effect.STALLS if self._stalls(first.lane) else self._own_thread(first.lane)
            return self._stretch_row(group, Happening.BLOCKED, first, effect)
        return None

    def _stretch_row(
        self, group: Sequence[Segment], what: Happening, named: Segment, effect: Effect
    ) -> Row:
        return Row(
            number=0,
            start_ns=group[0].start_ns,
            end_ns=group[-1].end_ns,
            lane=named.lane,
            what=what,
            place=named.place,
            text=named.text,
            state=named.state,
            blocking=what is Happening.BLOCKED and named.lane in self._loop,
            effect=effect,
        )

    def _call(self, call: Pair) -> Row:
        state = self._state_at(call.lane, call.start_ns)
        lane = self._trace.lanes[call.lane]
        if lane.kind is LaneKind.TASK and lane.id in self._loop:
            awaited = state is not State.BLOCKED and call.length_ns >= BLOCK_NS
            effect = self._waiting(call.start_ns, call.end_ns) if awaited else Effect.NONE
        else:
            effect = Effect.CONNECTION if call.kind is MarkKind.QUERY else Effect.HOLDS
        return Row(
            number=0,
            start_ns=call.start_ns,
            end_ns=call.end_ns,
            lane=call.lane,
            what=Happening(call.kind.value),
            place=call.place,
            text=call.text,
            state=State.USED if call.kind is MarkKind.QUERY else state,
            blocking=state is State.BLOCKED and call.lane in self._loop,
            effect=effect,
        )

    def _in_project(self, segment: Segment) -> bool:
        places = self._trace.places
        return segment.place is not None and places[segment.place].origin is Origin.PROJECT

    def _stalls(self, lane: int) -> bool:
        """Whether others are on the loop that this lane runs on; under WSGI it has its own."""
        return self._shared_loop and lane in self._loop

    def _own_thread(self, lane: int) -> Effect:
        return Effect.NONE if lane in self._loop else Effect.HOLDS

    def _waiting(self, start_ns: int, end_ns: int) -> Effect:
        """Return what a wait means for others: what was held meanwhile, most scarce first."""
        span: list[Interval] = [(start_ns, end_ns)]
        enough_ns = HELD_SHARE * (end_ns - start_ns)
        if length_ns(common(span, self._idle[LaneKind.CONNECTION])) >= enough_ns:
            return Effect.CONNECTION
        if length_ns(common(span, self._idle[LaneKind.THREAD])) >= enough_ns:
            return Effect.HOLDS
        return Effect.FREES

    def _state_at(self, lane: int, at_ns: int) -> State | None:
        segments = self._timeline.lanes[lane]
        index = bisect_right(self._starts[lane], at_ns) - 1
        if index < 0 or segments[index].end_ns <= at_ns:
            return None
        return segments[index].state


def _grouped(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    """Return what one row tells of: a run without its blocks, a wait with its readiness."""
    group: list[Segment] = []
    for segment in segments:
        if group and not any(
            segment.state in states and group[-1].state in states for states in (_ON, _OFF)
        ):
            yield group
            group = []
        group.append(segment)
    if group:
        yield group


def _is_stall(segment: Segment) -> bool:
    return segment.end_ns - segment.start_ns >= BLOCK_NS


def _row(
    start_ns: int,
    end_ns: int,
    lane: int,
    what: Happening,
    place: int | None = None,
    text: str = "",
) -> Row:
    return Row(0, start_ns, end_ns, lane, what, place, text)


def _point(mark: Mark, what: Happening) -> Row:
    return _row(mark.at_ns, mark.at_ns, mark.lane, what, mark.place, mark.text)
