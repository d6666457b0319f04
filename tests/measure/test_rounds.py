"""The steady stretch of a round: whole batches, no ramp."""

from __future__ import annotations

import numpy as np
import pytest

from freeloop.measure.load import Load, LoadResult
from freeloop.measure.rounds import quantiles, steady
from freeloop.model.request import RequestSpec
from freeloop.model.run import Arrivals

REQUEST = (RequestSpec(name="wait", url="/wait/"),)


def answers(finished_ms: list[float], seconds: float) -> LoadResult:
    """Return a result in which answers ended at these times."""
    times = np.array(finished_ms)
    return LoadResult(
        seconds=seconds,
        completed=len(times),
        failed=0,
        failures={},
        latency_ms=times,
        first_byte_ms=times,
        gap_ms=np.array([]),
        finished_ms=times,
    )


def rate(result: LoadResult, load: Load) -> float:
    """Return the requests per second of the steady stretch."""
    completed, seconds = steady(result, load)
    return completed / seconds


def test_batches_of_a_waiting_view_are_counted_whole() -> None:
    """Ten connections and a wait of 400 ms give 25 a second, also in a window of one second."""
    load = Load(port=1, requests=REQUEST, connections=10, seconds=1.0)
    result = answers([400.0] * 10 + [800.0] * 10, seconds=1.0)

    assert rate(result, load) == pytest.approx(25.0)
    assert result.completed / result.seconds == pytest.approx(20.0)


def test_an_even_flow_is_counted_as_it_is() -> None:
    """A CPU-bound server answers one by one, whatever the connections."""
    load = Load(port=1, requests=REQUEST, connections=50, seconds=1.0)
    result = answers([10.0 * number for number in range(1, 101)], seconds=1.0)

    assert rate(result, load) == pytest.approx(100.0)


def test_answers_after_the_window_do_not_count() -> None:
    """They belong to the drain."""
    load = Load(port=1, requests=REQUEST, connections=1, seconds=0.5)
    result = answers([100.0, 200.0, 300.0, 900.0], seconds=0.5)

    assert rate(result, load) == pytest.approx(10.0)


def test_no_answer_is_no_throughput() -> None:
    """Zero means measured zero."""
    load = Load(port=1, requests=REQUEST, connections=5, seconds=1.0)

    assert steady(answers([], seconds=1.0), load) == (0, 1.0)


def test_the_open_model_counts_all_answers() -> None:
    """Its rate is that of the schedule unless the server falls behind."""
    load = Load(
        port=1, requests=REQUEST, arrivals=Arrivals.OPEN, connections=9, seconds=1.0, rate_rps=4.0
    )

    assert rate(answers([250.0, 500.0, 750.0, 2000.0], seconds=1.0), load) == pytest.approx(2.0)


def test_quantiles_of_nothing_are_unknown() -> None:
    """A plain answer without a body has no first byte."""
    assert quantiles(np.array([])) is None
