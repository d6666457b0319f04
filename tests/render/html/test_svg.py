from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeloop.render.html.svg import ratio_scale, scale_for

amounts = st.lists(st.floats(min_value=0.001, max_value=1e7), min_size=1, max_size=8)


@given(values=amounts)
def test_every_value_lies_on_its_scale_in_order(values: list[float]) -> None:
    """A mark outside the plot, or two marks in the wrong order, would lie."""
    scale = scale_for(values)
    places = [scale.place(value) for value in sorted(values)]

    assert scale.low <= min(values) * 1.001
    assert scale.high >= max(values) * 0.999
    assert places == sorted(places)
    assert 2 <= len(scale.ticks) <= 7
    assert all(scale.low <= tick <= scale.high * 1.001 for tick in scale.ticks)


@pytest.mark.parametrize("values", [[], [0.0], [math.nan], [math.inf], [0.0, 0.0]])
def test_a_scale_of_nothing_can_still_be_drawn(values: list[float]) -> None:
    """A round without one right answer must not break the report."""
    scale = scale_for(values)

    assert scale.high > scale.low
    assert scale.place(0.0) == 0.0


def test_values_that_span_a_lot_get_a_log_scale_and_others_start_at_zero() -> None:
    """Beside 2500 ms nobody sees 40 ms; but a linear axis that does not start at 0 exaggerates."""
    assert scale_for([40.0, 2500.0]).logarithmic
    assert scale_for([40.0, 80.0]).low == 0.0
    assert not scale_for([0.0, 2500.0]).logarithmic


def test_twice_and_half_are_equally_far_from_one() -> None:
    """A ratio and its inverse are the same effect the other way round."""
    scale = ratio_scale([0.25, 3.0, math.inf, math.nan, 0.0])

    assert scale.place(1.0) == pytest.approx(0.5)
    assert scale.place(2.0) - 0.5 == pytest.approx(0.5 - scale.place(0.5))
    assert 0.0 < scale.place(0.25) < scale.place(3.0) < 1.0
