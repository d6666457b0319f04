from __future__ import annotations

import math
from dataclasses import replace

import pytest

from freeloop.render.comparison import comparison
from freeloop.render.figures import (
    by_pair,
    middle,
    number_text,
    ratio_text,
    seconds_text,
    share_text,
)
from tests.render.sample_runs import MANY, cpu_no_difference, stream, thread_cap


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(3.14, "3.1"), (0.2449, "0.24"), (1.0, "1.00"), (0.021, "0.021"), (11.8, "11.8"),
     (250.4, "250"), (1.96, "2.0"), (math.inf, "?"), (math.nan, "?")],
)  # fmt: skip
def test_ratios_keep_the_digits_that_mean_something(ratio: float, text: str) -> None:
    """Near 1 the second decimal decides; far from it no digit does."""
    assert ratio_text(ratio) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "?"), (math.nan, "?"), (0.0, "0"), (0.26, "0.26"), (51.4, "51.4"), (2144.4, "2144")],
)
def test_unknown_never_reads_as_zero(value: float | None, text: str) -> None:
    """None and NaN are not known; zero is measured zero."""
    assert number_text(value) == text


def test_small_shares_and_long_times_read_well() -> None:
    """A failure in a thousand is not "0%"."""
    assert [share_text(share) for share in (None, 0.0, 0.001, 0.42)] == ["?", "0%", "<1%", "42%"]
    assert [seconds_text(value) for value in (None, 84.0, 3048.0)] == ["?", "84.0 ms", "3.05 s"]


def test_the_middle_skips_what_is_not_known() -> None:
    """One round without an answer must not hide the others."""
    assert middle([None, 1.0, math.nan, 3.0]) == 2.0
    assert middle([None]) is None


def test_results_are_grouped_by_pair_and_sorted_by_concurrency() -> None:
    """One table per pair, columns from few to many, pairs in the plan's order."""
    groups = by_pair(MANY)

    assert [group[0].pair for group in groups][:3] == ["wait", "hello", "cpu"]
    assert [result.concurrency for result in groups[0]] == [1, 10, 50]


def test_rows_of_what_a_pair_does_not_have_are_left_out() -> None:
    """Stream gaps belong to streams; an unobserved pair has one row of question marks."""
    labels = {row.label for row in comparison([cpu_no_difference()])}
    with_gaps = {row.label for row in comparison([stream()])}
    seen = {row.label for row in comparison([thread_cap(50)])}

    assert "event gap p50" in with_gaps - labels
    assert "inside the server" in labels
    assert {"loop ms per request", "DB connections"} <= seen - labels


def test_what_does_not_apply_is_told_apart_from_what_is_not_known() -> None:
    """A WSGI server has no loop ("-"); without an observed round nobody knows ("?")."""
    result = thread_cap(50)
    half_seen = replace(result, b=replace(result.b, observed=None))
    (row,) = [row for row in comparison([half_seen]) if row.label == "loop ms per request"]

    assert row.cells == (("-", "?"),)
