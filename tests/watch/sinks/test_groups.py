"""What a stream of stretches is counted as."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeloop.watch.sinks.groups import REST, Groups, Key, key_of
from freeloop.watch.stretch import Cause, Kind, Stretch
from tests.watch.sinks.stretches import CALLEE, LINE, stretch


def test_stretches_of_one_route_line_and_callee_are_one_group() -> None:
    """Whose request it was differs each time; where to look does not."""
    groups = Groups()

    for number in range(3):
        groups.add(stretch(ms=100.0 * (number + 1), path=f"/checkout/{number}/"))

    (group,) = groups
    assert (group.key.line, group.key.callee) == (LINE, CALLEE[2])
    assert (group.count, group.total_ms, group.max_ms) == (3, 600.0, 300.0)


@pytest.mark.parametrize(
    "other",
    [
        stretch(route="cart/"),
        stretch(line=("/srv/shop/views.py", 42, "fetch_rate")),
        stretch(cause=Cause.CPU),
    ],
)
def test_another_route_line_or_cause_is_another_group(other: Stretch) -> None:
    groups = Groups()

    assert groups.add(stretch()) is not groups.add(other)


def test_where_only_a_library_is_to_blame_the_line_is_that_of_whoever_waits() -> None:
    """A thread of asgiref's is where calls queue; the project's line is where to look."""
    groups = Groups()
    library = ("/venv/lib/python3.13/site-packages/asgiref/sync.py", 560, "run_child")

    group = groups.add(replace(stretch(), frames=(library,), other=(CALLEE, LINE)))
    alone = groups.add(replace(stretch(), frames=(library,)))

    assert group.key.line == LINE
    assert alone.key.line == library


def test_a_process_with_endless_lines_keeps_few_groups() -> None:
    """Generated code, or a route for each customer, must not eat the memory of a server."""
    groups = Groups(most=10)

    for number in range(1000):
        groups.add(stretch(route=f"customer-{number}/"))

    assert len(groups) == 11
    assert {group.key: group.count for group in groups}[REST] == 990


@given(st.lists(st.floats(min_value=0.01, max_value=1e6), min_size=1, max_size=300))
def test_the_quantile_is_within_a_tenth_of_the_true_one(lengths: list[float]) -> None:
    """Buckets stand in for the stretches themselves, whose number has no bound."""
    groups = Groups()

    for ms in lengths:
        group = groups.add(stretch(ms=ms))

    true = sorted(lengths)[-(-99 * len(lengths) // 100) - 1]
    assert true * 0.999 <= group.p99_ms <= min(max(lengths), true * 1.101)


def test_what_the_host_did_is_one_group_wherever_the_code_stood() -> None:
    """It may be any line: a list of them would say that they are to blame."""
    first, second = stretch(), stretch(route="other/", line=("/srv/shop/a.py", 7, "total"))
    starved = {
        key_of(replace(each, kind=Kind.HOST, cause=Cause.STARVED)) for each in (first, second)
    }

    assert key_of(first) != key_of(second)
    assert starved == {Key("host", "starved", None, None, None)}
