"""What a prediction takes from a trace, on marks written here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from freeloop.judge.reading import read
from freeloop.judge.request_structure import Structure, structure_of
from freeloop.model.prediction import LimitKind
from freeloop.model.trace import Lane, LaneKind, Mark, MarkKind, Trace
from tests.judge.test_demand import made, pair

TASK = Lane(0, LaneKind.TASK, "request")
THREAD = Lane(1, LaneKind.THREAD, "thread 1", 0)


def structure(trace: Trace, *, pool_slots: int | None = None) -> Structure:
    return structure_of(read(trace), executor_slots=5, pool_slots=pool_slots)


def hop(number: int, start_ms: int, end_ms: int, executor: str) -> list[Mark]:
    """Return a hop to a thread of such an executor, and its work there."""
    begin, end = pair(MarkKind.HOP, 0, number, start_ms, end_ms)
    how = {"how": "thread", "executor": executor}
    return [replace(begin, detail=how), end, *pair(MarkKind.WORK, 1, number, start_ms, end_ms)]


@pytest.mark.parametrize(
    ("executor", "limits"),
    [("NoneType", [LimitKind.EXECUTOR]), ("ThreadPoolExecutor", [])],
)
def test_only_the_loops_own_executor_is_a_limit(executor: str, limits: list[LimitKind]) -> None:
    """Django gives each request a thread of its own: nobody else queues for that one."""
    found = structure(
        made(
            [TASK, THREAD],
            [
                pair(MarkKind.REQUEST, 0, 1, 0, 60),
                pair(MarkKind.RUN, 0, 2, 0, 5),
                hop(3, 5, 55, executor),
                pair(MarkKind.RUN, 0, 4, 55, 60),
            ],
        )
    )

    assert [each.kind for each in found.limits(asgi=True)] == limits
    assert found.limits(asgi=False) == ()
    assert [(each.slots, each.held_ms) for each in found.limits(asgi=True)] == [
        (5, 50.0) for _ in limits
    ]


def test_a_call_within_a_call_is_not_counted_twice() -> None:
    """A session's request goes through its connection pool, and both are seen."""
    found = structure(
        made(
            [TASK],
            [
                pair(MarkKind.REQUEST, 0, 1, 0, 60),
                pair(MarkKind.RUN, 0, 2, 0, 60),
                pair(MarkKind.OUTBOUND, 0, 3, 5, 45),
                pair(MarkKind.OUTBOUND, 0, 4, 10, 40),
                pair(MarkKind.SLEEP, 0, 5, 45, 55),
            ],
        )
    )

    assert [(each.kind, each.ms) for each in found.calls] == [
        (MarkKind.OUTBOUND, 40.0),
        (MarkKind.SLEEP, 10.0),
    ]


def test_calls_that_hold_the_loop_are_told_from_those_on_a_thread() -> None:
    found = structure(
        made(
            [TASK, THREAD],
            [
                pair(MarkKind.REQUEST, 0, 1, 0, 60),
                pair(MarkKind.RUN, 0, 2, 0, 25),
                pair(MarkKind.SLEEP, 0, 3, 5, 25),
                hop(4, 25, 55, "ThreadPoolExecutor"),
                pair(MarkKind.SLEEP, 1, 5, 30, 50),
                pair(MarkKind.RUN, 0, 6, 55, 60),
            ],
        )
    )

    assert [(each.lane, each.ms, each.blocked_ms) for each in found.calls] == [
        (0, 20.0, 20.0),
        (1, 20.0, 0.0),
    ]
    assert found.blocked_ms == pytest.approx(20.0)


def test_a_pool_limits_only_requests_that_hold_a_connection() -> None:
    trace = made(
        [TASK, Lane(1, LaneKind.CONNECTION, "connection default", 0)],
        [
            pair(MarkKind.REQUEST, 0, 1, 0, 60),
            pair(MarkKind.RUN, 0, 2, 0, 60),
            pair(MarkKind.CONNECTION, 1, 3, 10, 50),
        ],
    )
    without = made([TASK], [pair(MarkKind.REQUEST, 0, 1, 0, 60), pair(MarkKind.RUN, 0, 2, 0, 60)])

    (limit,) = structure(trace, pool_slots=10).limits(asgi=True)

    assert (limit.kind, limit.slots, limit.held_ms) == (LimitKind.DATABASE, 10, 40.0)
    assert structure(trace).limits(asgi=True) == ()
    assert structure(without, pool_slots=10).limits(asgi=True) == ()
