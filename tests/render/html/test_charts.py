from __future__ import annotations

import math
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from freeloop.model.run import PairResult, Quantiles
from freeloop.render.figures import by_pair
from freeloop.render.html.charts import Chart, latency_chart, race_chart, throughput_chart
from tests.render.sample_runs import MANY, RACE, cpu_no_difference, serve_hurts, thread_cap


def every_chart() -> list[Chart]:
    found = [draw(group) for group in by_pair(MANY) for draw in (throughput_chart, latency_chart)]
    return [race_chart(RACE), *(chart for chart in found if chart is not None)]


@pytest.mark.parametrize("chart", every_chart(), ids=lambda chart: chart.title)
def test_every_chart_has_a_table_and_a_text_alternative(chart: Chart) -> None:
    """Who cannot see the marks must find the same numbers."""
    drawing = ET.fromstring(chart.drawing)
    words = drawing.attrib["aria-label"]

    assert drawing.attrib["role"] == "img"
    assert chart.rows
    assert all(len(row) == len(chart.head) for row in chart.rows)
    assert "nan" not in chart.drawing
    assert all(row[1] in words for row in chart.rows if row[1][0].isdigit() and " " not in row[1])


def test_a_chart_over_concurrency_marks_both_sides_at_each_step() -> None:
    """Two sides at three concurrencies are six large marks, of two shapes."""
    chart = throughput_chart([serve_hurts(step) for step in (1, 10, 50)])
    assert chart is not None

    assert chart.drawing.count('class="mark a"') == 3
    assert chart.drawing.count('class="mark b"') == 3
    assert chart.drawing.count('class="dot') == 30


def test_latency_names_its_arrival_model() -> None:
    """Without it nobody knows what the tail means."""
    result = cpu_no_difference()
    closed = replace(result, b=replace(result.b, open=None))
    titles = [chart.title for chart in map(latency_chart, ([result], [closed])) if chart]

    assert titles == [
        "Latency in ms, open arrivals, timed from when due",
        "Latency in ms, closed model",
    ]


def without_answers(result: PairResult) -> PairResult:
    """Return the result as if B had never answered."""
    nothing = Quantiles(math.nan, math.nan, math.nan)
    lost = tuple(
        replace(item, completed=0, failed=9, latency=nothing, cpu_ms=math.nan, first_byte=None)
        for item in result.b.closed.rounds
    )
    silent = replace(result.b, open=None, closed=replace(result.b.closed, rounds=lost))
    return replace(result, b=silent)


def test_a_side_without_answers_is_zero_throughput_and_no_latency() -> None:
    """Zero is measured; a latency of nothing is not known, and not drawn at zero."""
    result = without_answers(thread_cap(50))
    throughput, latency = throughput_chart([result]), latency_chart([result])
    assert throughput is not None
    assert latency is not None

    assert throughput.rows[1] == ("B, 50 in flight", "0", "0", "0")
    assert [row[0] for row in latency.rows] == ["A, 50 in flight"]


def test_a_pair_without_a_round_has_no_chart() -> None:
    """An interrupted pair is shown by words alone."""
    result = thread_cap(50)
    bare = [
        replace(side, open=None, closed=replace(side.closed, rounds=()))
        for side in (result.a, result.b)
    ]

    assert throughput_chart([replace(result, a=bare[0], b=bare[1])]) is None
    assert latency_chart([replace(result, a=bare[0], b=bare[1])]) is None
