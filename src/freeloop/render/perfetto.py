"""A trace for ui.perfetto.dev, speedscope and chrome://tracing: Chrome's trace event JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from freeloop.model.trace import Edge, LaneKind, Mark, MarkKind, Trace

# One row for what holds a lane's thread, one for what happens inside: Chrome's events must nest,
# and a middleware layer goes on while its task is suspended.
PROCESS = 1
INSIDE = 10_000
HOLDS = frozenset({MarkKind.RUN, MarkKind.WORK, MarkKind.CONNECTION})

type Event = dict[str, object]


def perfetto_trace(trace: Trace) -> str:
    """Return the trace as Chrome trace event JSON; times there are microseconds."""
    events = [*_names(trace), *_slices(trace), *_waits(trace), *_flows(trace), *_points(trace)]
    top = {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {
            "request": f"{trace.request.method} {trace.request.path}",
            "view": trace.request.view,
            "recorded_at": trace.environment.recorded_at,
        },
    }
    return json.dumps(top, ensure_ascii=False)


def _names(trace: Trace) -> Iterator[Event]:
    title = f"{trace.request.method} {trace.request.path}"
    yield _meta("process_name", PROCESS, 0, {"name": title})
    for lane in trace.lanes:
        for row, suffix in ((lane.id, ""), (lane.id + INSIDE, ": inside")):
            if suffix and lane.kind is LaneKind.CONNECTION:
                continue
            yield _meta("thread_name", PROCESS, row, {"name": lane.name + suffix})
            order = lane.id * 2 + bool(suffix)
            yield _meta("thread_sort_index", PROCESS, row, {"sort_index": order})


def _slices(trace: Trace) -> Iterator[Event]:
    begins = {}
    for mark in trace.marks:
        if mark.edge is Edge.BEGIN:
            begins[mark.kind, mark.id] = mark
        elif mark.edge is Edge.END:
            begin = begins.pop((mark.kind, mark.id), None)
            if begin is not None and begin.kind is not MarkKind.TASK:
                yield _slice(trace, begin, mark)


def _slice(trace: Trace, begin: Mark, end: Mark) -> Event:
    shown = "" if begin.kind is MarkKind.RUN else end.text or begin.text
    return {
        "ph": "X",
        "pid": PROCESS,
        "tid": begin.lane if begin.kind in HOLDS else begin.lane + INSIDE,
        "ts": begin.at_ns / 1000,
        "dur": (end.at_ns - begin.at_ns) / 1000,
        "cat": begin.kind.value,
        "name": f"{begin.kind.value} {shown}".strip(),
        "args": {**_place(trace, begin), **begin.detail, **end.detail},
    }


def _waits(trace: Trace) -> Iterator[Event]:
    """Yield what a task awaits between one run and its next: a viewer leaves a gap blank.

    A nanosecond stays free on either side: where microseconds as floats meet, speedscope takes
    neighbours for parent and child.
    """
    ended: dict[int, Mark] = {}
    for mark in trace.marks:
        if mark.kind is not MarkKind.RUN:
            continue
        if mark.edge is Edge.END:
            ended[mark.lane] = mark
        elif (end := ended.pop(mark.lane, None)) and mark.at_ns - end.at_ns > 2:
            yield {
                "ph": "X",
                "pid": PROCESS,
                "tid": end.lane,
                "ts": (end.at_ns + 1) / 1000,
                "dur": (mark.at_ns - end.at_ns - 2) / 1000,
                "cat": "suspended",
                "name": f"awaits {end.text}".strip(),
                "args": _place(trace, end),
            }


def _flows(trace: Trace) -> Iterator[Event]:
    """Yield an arrow from each hop to its work, and from the work's end to where it went on."""
    hops = {m.id: m for m in trace.marks if m.kind is MarkKind.HOP and m.edge is Edge.BEGIN}
    ends = {m.id: m for m in trace.marks if m.kind is MarkKind.HOP and m.edge is Edge.END}
    for mark in trace.marks:
        if mark.kind is not MarkKind.WORK or mark.id not in hops:
            continue
        if mark.edge is Edge.BEGIN:
            yield _flow("s", hops[mark.id].lane + INSIDE, hops[mark.id].at_ns, mark.id * 2)
            yield _flow("f", mark.lane, mark.at_ns, mark.id * 2)
        elif mark.id in ends:
            yield _flow("s", mark.lane, mark.at_ns, mark.id * 2 + 1)
            yield _flow("f", ends[mark.id].lane, ends[mark.id].at_ns, mark.id * 2 + 1)


def _points(trace: Trace) -> Iterator[Event]:
    for mark in trace.marks:
        if mark.edge is Edge.POINT:
            yield {
                "ph": "i",
                "s": "t",
                "pid": PROCESS,
                "tid": mark.lane,
                "ts": mark.at_ns / 1000,
                "cat": mark.kind.value,
                "name": f"{mark.kind.value} {mark.text}".strip(),
                "args": {**_place(trace, mark), **mark.detail},
            }


def _flow(phase: str, row: int, at_ns: int, number: int) -> Event:
    event: Event = {
        "ph": phase,
        "pid": PROCESS,
        "tid": row,
        "ts": at_ns / 1000,
        "id": number,
        "cat": "hop",
        "name": "hop",
    }
    return event if phase == "s" else {**event, "bp": "e"}


def _place(trace: Trace, mark: Mark) -> dict[str, object]:
    if mark.place is None:
        return {}
    place = trace.places[mark.place]
    return {"place": f"{place.path}:{place.line}", "function": place.function}


def _meta(name: str, process: int, row: int, values: dict[str, object]) -> Event:
    return {"ph": "M", "pid": process, "tid": row, "name": name, "args": values}
