from __future__ import annotations

import re
from dataclasses import replace

import pytest

from freeloop.model.timeline import State
from freeloop.model.trace import LaneKind
from freeloop.render.states import LOOKS
from freeloop.render.trace_terminal import MOST_ROWS, render_trace
from tests.render.gold import check_gold
from tests.render.sample_readings import CHECKOUT
from tests.render.test_terminal import console, written


def shown(width: int, *, variables: bool = True, encoding: str = "utf-8") -> str:
    made = console(width, encoding=encoding)
    render_trace(CHECKOUT, made, variables=variables)
    return written(made)


@pytest.mark.parametrize("width", [80, 120])
def test_a_trace_reads_as_its_gold_file(width: int) -> None:
    """A person has looked at these; a change of wording or layout must be looked at again."""
    check_gold(f"terminal/trace-{width}.txt", shown(width))


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """A wrapped lane is a broken lane."""
    lines = shown(width).splitlines()

    assert [line for line in lines if len(line) > width] == []
    assert [line for line in lines if line != line.rstrip()] == []


def test_a_piped_trace_has_no_escape_codes_and_a_coloured_one_says_the_same() -> None:
    """Colour is never alone: without it every word and sign is still there."""
    coloured = console(80, colour=True)
    render_trace(CHECKOUT, coloured, variables=True)
    text = written(coloured)
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", text)

    assert text != stripped
    assert "\x1b" not in shown(80)
    assert [line.rstrip() for line in stripped.splitlines()] == shown(80).splitlines()


def test_lanes_are_told_in_ascii_where_nothing_else_can_be_written() -> None:
    """A pipe into a log of an old locale must not end in an encoding error."""
    made = console(80, encoding="ascii")
    render_trace(CHECKOUT, made)
    lines = written(made).splitlines()
    lanes = [line for line in lines if line.startswith(("  request  ", "  task ", "  thread "))]

    assert lanes
    assert all(line.isascii() for line in lanes)


def test_every_state_of_the_timeline_is_explained_below_it() -> None:
    """A sign that nobody explains is decoration."""
    text = shown(80)
    states = {segment.state for lane in CHECKOUT.timeline.lanes for segment in lane}

    for state in State:
        assert (f"{LOOKS[state].word}: " in text) is (state in states)


def test_a_short_stretch_between_long_ones_is_seen() -> None:
    """The 0.25 ms in which a task went on after its 80 ms wait is what one looks for."""
    lane = next(line for line in shown(80).splitlines() if line.startswith("  task price_of soup"))

    assert re.search("\u2588+\u00b7+\u2588+$", lane)


def test_requests_tasks_threads_and_connections_come_in_this_order() -> None:
    """Who waits stands above whom it waits for."""
    lines = shown(80).splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("timeline"))
    order = {"request": 0, "task": 1, "thread": 2, "connection": 3}
    found = [
        order[line.split()[0]]
        for line in lines[start : start + 12]
        if line.startswith("  ") and line.split() and line.split()[0] in order
    ]

    assert found == sorted(found)
    assert len(found) == len(CHECKOUT.trace.lanes)
    assert {lane.kind for lane in CHECKOUT.trace.lanes} == set(LaneKind)


def test_variables_are_shown_when_asked_for() -> None:
    """They double the length: the table of what happened stays readable without them."""
    assert "Customer pk=3" in shown(80)
    assert "Customer pk=3" not in shown(80, variables=False)


def test_rows_that_do_not_fit_are_counted() -> None:
    """What is left out is said, with the way to see it."""
    rows = tuple(replace(CHECKOUT.rows[0], number=number) for number in range(1, MOST_ROWS + 8))
    made = console(80)

    render_trace(replace(CHECKOUT, rows=rows), made)

    assert "and 7 more: --html FILE shows all" in written(made)


def test_what_was_not_observed_is_said_before_the_numbers() -> None:
    """A trace without a probe looks like a request without that call."""
    text = shown(80)

    assert text.index("not observed: aiohttp") < text.index("totals")
