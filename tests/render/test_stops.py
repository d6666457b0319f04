from __future__ import annotations

from collections import Counter
from dataclasses import replace

from freeloop.model.trace import Step, Variable
from freeloop.render.stops import pending_of, stops_of
from tests.render.sample_readings import CHECKOUT, STEPS


def test_each_row_of_the_execution_table_is_one_stop() -> None:
    """Whatever lines are folded into it, nothing that happened may be lost or told twice."""
    rows = [stop.row for stop in stops_of(CHECKOUT) if stop.row is not None]

    assert sorted(rows) == [row.number for row in CHECKOUT.rows]


def test_stops_go_on_in_time() -> None:
    """A walk that jumps back cannot be followed."""
    times = [stop.at_ns for stop in stops_of(CHECKOUT)]

    assert times == sorted(times)


def test_no_change_of_a_variable_is_lost_when_stops_are_folded() -> None:
    """The tracker adds up what the stops tell."""
    told = Counter(news for stop in stops_of(CHECKOUT) for news in stop.news)
    recorded = Counter((step.frame, item) for step in STEPS for item in step.variables)

    assert told == recorded


def test_a_chain_of_suspended_coroutines_is_one_stop() -> None:
    """Each of five frames is suspended, from the inside out: the reader sees one await."""
    chain = tuple(
        Step(90_000_000 + frame, 0, 6 + frame, 10 - frame, event)
        for event in ("suspend",)
        for frame in range(3)
    )
    back = tuple(Step(91_000_000 + frame, 0, 8 - frame, 8 + frame, "resume") for frame in range(3))
    trace = replace(CHECKOUT.trace, steps=(*chain, *back))

    stops = stops_of(replace(CHECKOUT, trace=trace, rows=()))

    assert [(stop.place, stop.frame, stop.wait) for stop in stops] == [
        (6, 10, True),
        (6, 10, False),
    ]


def test_an_await_is_pending_from_its_suspension_to_its_resumption() -> None:
    """The marks beside the source say who waits at this moment: two tasks and their parent."""
    at_ns = 20_000_000
    words = [each.words for each in pending_of(CHECKOUT) if each.start_ns <= at_ns < each.end_ns]

    assert words == [
        "request waits for asyncio.gather, 80.5 ms",
        "task price_of soup waits for asyncio.sleep, 80.0 ms",
        "task price_of bread waits for asyncio.sleep, 50.0 ms",
    ]


def test_a_row_shows_the_variables_of_the_frame_its_lane_was_in() -> None:
    """What happened between two lines belongs to the function that made it happen."""
    blocked = next(stop for stop in stops_of(CHECKOUT) if stop.blocking)

    assert blocked.frame == 4


def test_without_line_steps_the_rows_are_the_walk() -> None:
    """A trace recorded with --no-lines is walked from event to event."""
    bare = replace(CHECKOUT, trace=replace(CHECKOUT.trace, steps=()))

    stops = stops_of(bare)

    assert [stop.row for stop in stops] == [row.number for row in CHECKOUT.rows]
    assert all(stop.frame is None for stop in stops)


def test_a_gone_variable_is_news_too() -> None:
    """`del` and the end of an except clause are steps like others."""
    gone = Variable("total", "6", "gone")
    trace = replace(CHECKOUT.trace, steps=(Step(1_000, 0, 4, 1, "line", (gone,)),))

    stops = stops_of(replace(CHECKOUT, trace=trace, rows=()))

    assert stops[0].news == ((1, gone),)
    assert "total is gone" in stops[0].sentence
