from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeloop.model.timeline import Segment, State, Timeline
from freeloop.render.axis import WIDEST_STRETCH, axis_of

MS = 1_000_000


def of_lengths(*lengths_ns: int) -> Timeline:
    """Return a timeline of one lane whose segments have these lengths."""
    ends = [sum(lengths_ns[: index + 1]) for index in range(len(lengths_ns))]
    segments = [
        Segment(0, end - length, end, State.RUNNING)
        for length, end in zip(lengths_ns, ends, strict=True)
    ]
    return Timeline(sum(lengths_ns), (tuple(segments),))


def test_a_long_wait_does_not_hide_short_steps() -> None:
    """On a plain axis each of these 1 ms steps would have a hundredth of the width."""
    axis = axis_of(of_lengths(MS, MS, 80 * MS, MS, MS))

    assert [(part.start_ns, part.end_ns) for part in axis.breaks] == [(2 * MS, 82 * MS)]
    assert axis.place(MS) - axis.place(0) == pytest.approx((1 - WIDEST_STRETCH) / 4)
    assert axis.place(82 * MS) - axis.place(2 * MS) == pytest.approx(WIDEST_STRETCH)


def test_five_equal_waits_are_all_broken() -> None:
    """One that is left whole would hide the steps as well as all five did."""
    axis = axis_of(of_lengths(*[MS, 80 * MS] * 5, MS))

    assert len(axis.breaks) == 5
    assert axis.place(MS) > 0.03


def test_short_stretches_are_never_broken_to_show_still_shorter_ones() -> None:
    """Of a sync view that sleeps, the microseconds at both ends once filled the whole width."""
    axis = axis_of(of_lengths(13_000, 1_500_000, 51_600_000, 1_070_000, 10_000))

    assert [part.end_ns - part.start_ns for part in axis.breaks] == [51_600_000]


def test_equal_steps_need_no_break() -> None:
    """A break costs attention: none where a plain axis shows everything."""
    axis = axis_of(of_lengths(*[3 * MS] * 8))

    assert axis.breaks == ()
    assert axis.place(12 * MS) == pytest.approx(0.5)


def test_a_request_without_any_change_has_a_plain_axis() -> None:
    """There is nothing to make room for."""
    assert axis_of(of_lengths(500 * MS)).breaks == ()
    assert axis_of(Timeline(0, ((),))).place(0) == 0


@given(st.lists(st.integers(1, 10**10), min_size=1, max_size=40))
def test_time_goes_on_from_left_to_right_whatever_is_broken(lengths_ns: list[int]) -> None:
    """No break may turn the order round, leave a gap, or pass an edge."""
    axis = axis_of(of_lengths(*lengths_ns))
    times = [sum(lengths_ns[:index]) for index in range(len(lengths_ns) + 1)]
    places = [axis.place(at_ns) for at_ns in times]

    assert places[0] == 0
    assert places[-1] == pytest.approx(1)
    assert all(before <= after for before, after in pairwise(places))
    assert axis.stretches[0].start_ns == 0
    assert axis.stretches[-1].end_ns == sum(lengths_ns)
    for before, after in pairwise(axis.stretches):
        assert before.end_ns == after.start_ns
        assert before.right == after.left


@given(st.lists(st.integers(1, 10**10), min_size=2, max_size=40))
def test_a_break_makes_a_stretch_shorter_and_never_longer(lengths_ns: list[int]) -> None:
    """Each broken stretch is drawn at half its share of the width or less of what is unbroken."""
    axis = axis_of(of_lengths(*lengths_ns))
    plain = [part for part in axis.stretches if not part.broken]

    if axis.breaks:
        scale = max((part.right - part.left) / (part.end_ns - part.start_ns) for part in plain)
        for part in axis.breaks:
            assert (part.right - part.left) / (part.end_ns - part.start_ns) <= scale / 2 * 1.001
