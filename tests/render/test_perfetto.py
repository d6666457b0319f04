"""The export for Perfetto: what Chrome's trace event format asks of it."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from freeloop.model.trace import (
    Edge,
    Lane,
    LaneKind,
    Mark,
    MarkKind,
    Recorded,
    Trace,
    TraceEnvironment,
)
from freeloop.render.perfetto import perfetto_trace


def pair(kind: MarkKind, lane: int, number: int, begin_us: int, end_us: int) -> tuple[Mark, Mark]:
    return (
        Mark(begin_us * 1000, kind, Edge.BEGIN, lane, number, text=kind.value),
        Mark(end_us * 1000, kind, Edge.END, lane, number, text=kind.value),
    )


def hopping() -> Trace:
    """A task that hops to a thread inside of a middleware layer."""
    marks = (
        *pair(MarkKind.REQUEST, 0, 1, 0, 100),
        *pair(MarkKind.RUN, 0, 2, 0, 30),
        *pair(MarkKind.MIDDLEWARE, 0, 3, 10, 90),
        *pair(MarkKind.HOP, 0, 4, 20, 80),
        *pair(MarkKind.WORK, 1, 4, 40, 60),
        *pair(MarkKind.RUN, 0, 5, 80, 100),
        Mark(85_000, MarkKind.FIRST_BYTE, Edge.POINT, 0, 6),
    )
    lanes = (Lane(0, LaneKind.TASK, "request"), Lane(1, LaneKind.THREAD, "thread 1", 0))
    request = Recorded("GET", "/", "", "view", True, "asgi", False, 200, 2, False)
    environment = TraceEnvironment("2026", {}, 2, (), (), 900)
    ordered = tuple(sorted(marks, key=lambda mark: mark.at_ns))
    return Trace(environment, request, lanes, (), ordered)


def events(trace: Trace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(perfetto_trace(trace))["traceEvents"]
    return found


def test_slices_of_a_row_nest() -> None:
    """Viewers draw overlapping slices of one row wrongly, or drop them."""
    rows: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for event in events(hopping()):
        if event["ph"] == "X":
            rows[event["tid"]].append((event["ts"], event["ts"] + event["dur"]))

    for slices in rows.values():
        for start, end in slices:
            assert not any(a < start < b < end for a, b in slices)
    assert sum(map(len, rows.values())) == 7


def test_the_gap_between_two_runs_says_what_is_awaited() -> None:
    """Apart from both by a nanosecond: speedscope nests neighbours whose floats overlap."""
    (wait,) = [event for event in events(hopping()) if event.get("cat") == "suspended"]

    assert (wait["tid"], wait["name"]) == (0, "awaits run")
    assert 30 < wait["ts"] < wait["ts"] + wait["dur"] < 80


def test_a_hop_is_an_arrow_there_and_back() -> None:
    """From the hop's begin to the work, from the work's end to where it went on."""
    flows = [event for event in events(hopping()) if event["ph"] in "sf"]

    assert [(flow["ph"], flow["ts"]) for flow in flows] == [
        ("s", 20), ("f", 40), ("s", 60), ("f", 80),
    ]  # fmt: skip
    assert flows[0]["id"] == flows[1]["id"] != flows[2]["id"] == flows[3]["id"]


def test_every_row_has_a_name() -> None:
    """A number tells nobody which thread it was."""
    found = events(hopping())

    used = {event["tid"] for event in found if event["ph"] != "M"}
    named = {event["tid"] for event in found if event["name"] == "thread_name"}
    assert used <= named
