"""Totals of one request against what the program let happen."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from freeloop.judge.demand import demand
from freeloop.judge.timeline import timeline
from freeloop.model.demand import Demand
from freeloop.model.timeline import State
from freeloop.model.trace import (
    Edge,
    Lane,
    LaneKind,
    Mark,
    MarkKind,
    Trace,
)
from tests.judge.programs import Part, environment, parts, play, recorded, torn_traces

MS = 1_000_000


def demand_of(trace: Trace) -> Demand:
    return demand(trace, timeline(trace))


@given(parts())
@settings(max_examples=200, deadline=None)
def test_totals_are_what_the_program_took(program: tuple[Part, ...]) -> None:
    """CPU of all threads, time on the loop, time without a reason; nothing counted twice."""
    played = play(program)

    found = demand_of(played.trace)

    blocked = sum(state[State.BLOCKED] for state in played.truth.values())
    worked = sum(
        played.truth[lane.id][State.RUNNING]
        for lane in played.trace.lanes
        if lane.kind is LaneKind.THREAD
    )
    assert found.total_ms == pytest.approx(played.trace.duration_ns / MS)
    assert found.cpu_ms == pytest.approx(played.cpu_ns / MS)
    assert found.unexplained_ms == pytest.approx(played.lock_ns / MS)
    assert found.loop_ms == pytest.approx(played.loop_ns / MS)
    assert found.blocked_ms == pytest.approx(blocked / MS)
    assert found.thread_used_ms == pytest.approx(worked / MS)


@given(torn_traces())
@settings(max_examples=200, deadline=None)
def test_no_total_is_impossible_even_if_the_marks_are_torn(trace: Trace) -> None:
    found = demand_of(trace)

    assert 0 <= found.waiting_ms <= found.total_ms
    assert 0 <= found.thread_used_ms <= found.thread_held_ms
    assert 0 <= found.connection_used_ms <= found.connection_held_ms
    assert found.blocked_ms >= 0
    assert found.unexplained_ms >= 0


def pair(kind: MarkKind, lane: int, number: int, start_ms: int, end_ms: int) -> list[Mark]:
    return [
        Mark(start_ms * MS, kind, Edge.BEGIN, lane, number),
        Mark(end_ms * MS, kind, Edge.END, lane, number),
    ]


def made(lanes: list[Lane], marks: list[list[Mark]], interface: str = "asgi") -> Trace:
    flat = sorted((mark for both in marks for mark in both), key=lambda mark: mark.at_ns)
    return Trace(environment(), recorded(interface), tuple(lanes), (), tuple(flat))


def test_nested_hops_on_one_thread_count_once() -> None:
    """A sync middleware around an async view whose query hops to the thread that waits for it."""
    trace = made(
        [
            Lane(0, LaneKind.TASK, "request"),
            Lane(1, LaneKind.THREAD, "thread 1", 0),
            Lane(2, LaneKind.TASK, "task view", 1),
        ],
        [
            pair(MarkKind.REQUEST, 0, 1, 0, 100),
            pair(MarkKind.RUN, 0, 2, 0, 5),
            pair(MarkKind.HOP, 0, 3, 5, 95),
            pair(MarkKind.WORK, 1, 3, 5, 95),
            pair(MarkKind.BACK, 1, 4, 10, 90),
            pair(MarkKind.RUN, 2, 5, 10, 20),
            pair(MarkKind.HOP, 2, 6, 20, 50),
            pair(MarkKind.WORK, 1, 6, 20, 50),
            pair(MarkKind.RUN, 2, 7, 50, 60),
            pair(MarkKind.RUN, 2, 8, 80, 90),
            pair(MarkKind.RUN, 0, 9, 95, 100),
        ],
    )

    found = demand_of(trace)

    assert found.thread_held_ms == 90
    assert found.thread_used_ms == 5 + 30 + 5
    assert found.loop_ms == 40
    assert found.waiting_ms == 20
    assert (found.hops, found.backs) == (2, 1)


def test_the_thread_of_a_sync_request_under_wsgi_is_held_all_the_time() -> None:
    """It has no event loop; what it waits for blocks its own thread alone."""
    trace = made(
        [Lane(0, LaneKind.THREAD, "request")],
        [
            pair(MarkKind.REQUEST, 0, 1, 0, 50),
            pair(MarkKind.RUN, 0, 2, 0, 50),
            pair(MarkKind.SLEEP, 0, 3, 10, 40),
        ],
        interface="wsgi",
    )

    found = demand_of(trace)

    assert found.thread_held_ms == found.thread_used_ms == 50
    assert found.loop_ms == found.blocked_ms == found.waiting_ms == 0
    assert [segment.state for segment in timeline(trace).request] == [
        State.RUNNING,
        State.BLOCKED,
        State.RUNNING,
    ]


def test_a_connection_is_held_longer_than_it_is_used() -> None:
    """One query, and the connection stays checked out over the wait that follows."""
    trace = made(
        [
            Lane(0, LaneKind.TASK, "request"),
            Lane(1, LaneKind.THREAD, "thread 1", 0),
            Lane(2, LaneKind.CONNECTION, "connection default", 1),
        ],
        [
            pair(MarkKind.REQUEST, 0, 1, 0, 100),
            pair(MarkKind.RUN, 0, 2, 0, 100),
            pair(MarkKind.WORK, 1, 3, 10, 30),
            pair(MarkKind.QUERY, 1, 4, 15, 25),
            pair(MarkKind.CONNECTION, 2, 5, 12, 100),
        ],
    )

    found = demand_of(trace)

    assert (found.connection_held_ms, found.connection_used_ms) == (88, 10)
    assert found.queries == 1


def test_the_thread_of_a_loop_of_its_own_is_not_at_work_while_its_tasks_wait() -> None:
    """Under WSGI Django runs an async view on a loop in a second thread, and waits for it."""
    trace = made(
        [
            Lane(0, LaneKind.THREAD, "request"),
            Lane(1, LaneKind.THREAD, "thread 2", 0),
            Lane(2, LaneKind.TASK, "task view", 1),
        ],
        [
            pair(MarkKind.REQUEST, 0, 1, 0, 100),
            pair(MarkKind.RUN, 0, 2, 0, 100),
            pair(MarkKind.BACK, 0, 3, 10, 95),
            pair(MarkKind.WORK, 1, 4, 10, 90),
            pair(MarkKind.RUN, 2, 5, 12, 15),
            pair(MarkKind.RUN, 2, 6, 85, 90),
        ],
        interface="wsgi",
    )

    found = demand_of(trace)

    assert found.thread_held_ms == 100 + 80
    assert found.thread_used_ms == 15 + 8
    assert found.loop_ms == 8
    assert found.waiting_ms == 100 - 15 - 8
    assert found.unexplained_ms == 0
