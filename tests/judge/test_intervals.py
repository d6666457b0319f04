"""Sets of time against the same sets counted moment by moment."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from freeloop.judge.intervals import Interval, common, length_ns, minus, union

moments = st.integers(0, 30)
sets = st.lists(st.tuples(moments, moments), max_size=8)


def counted(intervals: list[Interval]) -> set[int]:
    return {moment for start, end in intervals for moment in range(start, end)}


@given(sets, sets)
def test_sets_of_time_are_what_counting_their_moments_gives(
    these: list[Interval], those: list[Interval]
) -> None:
    """Empty, reversed, touching and nested intervals are among them."""
    assert counted(union(these)) == counted(these)
    assert counted(minus(these, those)) == counted(these) - counted(those)
    assert counted(common(these, those)) == counted(these) & counted(those)
    assert length_ns([*these, *those]) == len(counted(these) | counted(those))


@given(sets)
def test_a_union_is_sorted_and_its_parts_do_not_meet(these: list[Interval]) -> None:
    found = union(these)

    assert all(start < end for start, end in found)
    assert all(first[1] < second[0] for first, second in pairwise(found))
