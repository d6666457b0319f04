"""Findings: what held the event loop, by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from freeloop.judge.demand import loop_lanes
from freeloop.judge.execution import BLOCK_NS, STALL_NS
from freeloop.judge.guilty import Guilty
from freeloop.model.reading import Effect, Happening, Row, TraceFinding, Weakness
from freeloop.model.timeline import Segment, State, Timeline
from freeloop.model.trace import Trace
from freeloop.model.verdict import Basis

# Of a stretch that computes, a line that took less than this is not what makes it long.
LINE_SHARE = 0.2


def blocking_calls(timeline: Timeline, trace: Trace, rows: Sequence[Row]) -> list[TraceFinding]:
    """Return the calls that waited on the loop, one finding for each line and call.

    Shorter ones than `BLOCK_NS` count when a line made many of them.
    """
    found: dict[tuple[int | None, str], list[Segment]] = defaultdict(list)
    for segment in _on_loop(trace, timeline):
        if segment.state is State.BLOCKED:
            found[segment.place, segment.text].append(segment)
    return [
        TraceFinding(
            weakness=Weakness.BLOCKS_LOOP,
            basis=Basis.MEASURED,
            cost_ms=cost_ns / 1e6,
            places=() if place is None else (place,),
            rows=_rows_within(rows, segments),
            text=text,
            count=len(segments),
        )
        for (place, text), segments in found.items()
        if (cost_ns := sum(segment.end_ns - segment.start_ns for segment in segments)) >= BLOCK_NS
    ]


def long_stretches(timeline: Timeline, trace: Trace, rows: Sequence[Row]) -> list[TraceFinding]:
    """Return the lines that held the loop without a call that is known to wait.

    They compute, or sit in a call that no probe knows. Time in the run queue is not theirs.
    """
    guilty = Guilty(trace)
    lines: dict[int, int] = defaultdict(int)
    sources: dict[int, list[Segment]] = defaultdict(list)
    for segment in _on_loop(trace, timeline):
        length_ns = segment.end_ns - segment.start_ns
        if segment.state is not State.RUNNING or length_ns < STALL_NS:
            continue
        spent = guilty.lines(segment.lane, segment.start_ns, segment.end_ns)
        if not spent and segment.place is not None:
            spent = [(segment.place, length_ns)]
        for place, ns in spent:
            if ns >= LINE_SHARE * length_ns:
                lines[place] += ns
                sources[place].append(segment)
    sampled = not trace.steps
    return [
        TraceFinding(
            weakness=Weakness.BLOCKS_LOOP,
            # The stretch is measured; which line it was in is, without steps, a sample's word.
            basis=Basis.ESTIMATED if sampled else Basis.MEASURED,
            cost_ms=ns / 1e6,
            places=(place, *_library_places(trace, sources[place], place)),
            rows=_rows_within(rows, sources[place]),
            count=len(sources[place]),
        )
        for place, ns in lines.items()
    ]


def _on_loop(trace: Trace, timeline: Timeline) -> Iterator[Segment]:
    if trace.request.interface != "asgi":
        return  # under WSGI nobody else is on it
    for lane in loop_lanes(trace):
        yield from timeline.lanes[lane]


def _rows_within(rows: Sequence[Row], segments: Sequence[Segment]) -> tuple[int, ...]:
    return tuple(
        row.number
        for row in rows
        if (row.blocking or row.what is Happening.RAN or row.effect is Effect.STALLS)
        and any(
            row.lane == segment.lane
            and row.start_ns <= segment.start_ns
            and segment.end_ns <= row.end_ns
            for segment in segments
        )
    )


def _library_places(trace: Trace, segments: Sequence[Segment], place: int) -> tuple[int, ...]:
    """Return what the line had called when it was seen most often, innermost first."""
    stacks = [
        sample.frames
        for sample in trace.samples
        if place in sample.frames
        and any(
            sample.lane == segment.lane and segment.start_ns <= sample.at_ns < segment.end_ns
            for segment in segments
        )
    ]
    if not stacks:
        return ()
    inner = [stack[: stack.index(place)] for stack in stacks]
    return max(inner, key=inner.count)[:1]
