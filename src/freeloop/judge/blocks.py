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

# Of a stretch that computes, a function that took less than this is not what makes it long.
FUNCTION_SHARE = 0.2


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
    """Return the functions that held the loop without a call that is known to wait.

    They compute, or sit in a call that no probe knows. Time in the run queue is not theirs. Each
    is named by its longest line.
    """
    guilty = Guilty(trace)
    spent: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    sources: dict[tuple[str, str], list[Segment]] = defaultdict(list)
    for segment in _on_loop(trace, timeline):
        length_ns = segment.end_ns - segment.start_ns
        if segment.state is not State.RUNNING or length_ns < STALL_NS:
            continue
        functions: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        for place, ns in _lines(guilty, segment):
            line = trace.places[place]
            functions[line.path, line.function][place] = ns
        for name, lines in functions.items():
            if sum(lines.values()) >= FUNCTION_SHARE * length_ns:
                sources[name].append(segment)
                for place, ns in lines.items():
                    spent[name][place] += ns
    return [
        TraceFinding(
            weakness=Weakness.BLOCKS_LOOP,
            # The stretch is measured; which line it was in is, without steps, a sample's word.
            basis=Basis.MEASURED if trace.steps else Basis.ESTIMATED,
            cost_ms=sum(lines.values()) / 1e6,
            places=(worst := max(lines, key=lines.__getitem__), *_called(trace, worst)),
            rows=_rows_within(rows, sources[name]),
            count=len(sources[name]),
        )
        for name, lines in spent.items()
    ]


def _lines(guilty: Guilty, segment: Segment) -> list[tuple[int, int]]:
    found = guilty.lines(segment.lane, segment.start_ns, segment.end_ns)
    if not found and segment.place is not None:
        return [(segment.place, segment.end_ns - segment.start_ns)]
    return found


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


def _called(trace: Trace, place: int) -> tuple[int, ...]:
    """Return what the line had called when it was seen most often, innermost."""
    inner = [
        sample.frames[: sample.frames.index(place)]
        for sample in trace.samples
        if place in sample.frames
    ]
    return max(inner, key=inner.count)[:1] if inner else ()
