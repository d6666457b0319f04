"""Forecasts against a simulation of the server, and what they say of their own doubt."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeloop.judge.predict import cost_ms, cost_range_ms, curve, forecast, judged, knee, rate_at
from freeloop.model.prediction import (
    Bottleneck,
    Cost,
    Forecast,
    Growth,
    Limit,
    LimitKind,
    Network,
)
from freeloop.model.verdict import Answer, Basis
from tests.judge.network_simulation import Simulated, simulate, simulate_gate


def steady(cpu_ms: float) -> Cost:
    """Return a cost that is the same at any number in flight."""
    return Cost(cpu_ms, cpu_ms, cpu_ms)


def simulated(network: Network, *, random: bool) -> Simulated:
    """Return the server that a network describes; one worker."""
    cpu_ms = network.cost.at_8_ms + network.blocked_ms
    limited = [(each.kind.value, each.held_ms) for each in network.limits]
    free_ms = network.wait_ms - sum(held for _name, held in limited)
    visits = [("core", cpu_ms), *limited, *([("wait", free_ms)] if free_ms > 0 else [])]
    servers = {"core": 1} | {each.kind.value: each.slots for each in network.limits}
    return Simulated(tuple(visits), servers, network.front, random)


VIEWS = {
    "threads": Network(steady(1.0), wait_ms=50.0, front=20),
    "loop": Network(steady(1.0), wait_ms=50.0),
    "slow": Network(steady(0.7), wait_ms=1000.0),
    "blocked": Network(steady(1.0), wait_ms=0.0, blocked_ms=19.0),
    "to-thread": Network(steady(1.0), wait_ms=50.0, limits=(Limit(LimitKind.EXECUTOR, 5, 50.0),)),
    "pool": Network(
        steady(1.3), wait_ms=60.0, limits=(Limit(LimitKind.DATABASE, 10, 50.0),), front=100
    ),
    "lock": Network(steady(0.5), wait_ms=20.0, limits=(Limit(LimitKind.LOCK, 1, 4.0),)),
    "cpu": Network(steady(20.0), wait_ms=0.1, front=50),
}


@pytest.mark.parametrize("concurrency", [1, 10, 51, 200])
@pytest.mark.parametrize("view", VIEWS)
def test_throughput_and_latency_are_those_of_a_simulation(view: str, concurrency: int) -> None:
    """The queueing theory is exact where times vary at random: what is left is chance."""
    network = VIEWS[view]

    found = forecast(network, concurrency)
    rate_rps, mean_ms = simulate(simulated(network, random=True), concurrency)

    assert found.rate_rps == pytest.approx(rate_rps, rel=0.05)
    assert found.mean_ms == pytest.approx(mean_ms, rel=0.05)


@pytest.mark.parametrize("concurrency", [1, 10, 51, 200])
@pytest.mark.parametrize("view", VIEWS)
def test_an_interval_holds_requests_that_always_take_the_same(view: str, concurrency: int) -> None:
    """Real views wait neither at random nor all the same: both must lie inside."""
    network = VIEWS[view]

    found = forecast(network, concurrency)
    rate_rps, _mean_ms = simulate(simulated(network, random=False), concurrency)

    assert found.low_rps * 0.99 <= rate_rps <= found.high_rps * 1.01


@pytest.mark.parametrize("concurrency", [2, 8, 32, 50, 200])
def test_requests_in_step_do_what_those_behind_a_gate_do(concurrency: int) -> None:
    """Django's hops under ASGI: whoever comes meanwhile is taken forward with the next lot."""
    in_step = Network(steady(1.6), wait_ms=50.0, in_step=1.0)
    apart = replace(in_step, in_step=0.0)

    all_alike = simulate_gate(1.6, 50.0, concurrency, random=False)
    at_random = simulate_gate(1.6, 50.0, concurrency, random=True)

    assert rate_at(in_step, concurrency) == pytest.approx(all_alike, rel=0.01)
    assert 0.97 * all_alike <= at_random <= 1.03 * rate_at(apart, concurrency)


@pytest.mark.parametrize(
    ("view", "concurrency", "bottleneck"),
    [
        ("threads", 200, Bottleneck.THREADS),
        ("threads", 10, Bottleneck.NONE),
        ("loop", 10, Bottleneck.NONE),
        ("loop", 200, Bottleneck.CORE),
        ("blocked", 10, Bottleneck.LOOP),
        ("to-thread", 50, Bottleneck.EXECUTOR),
        ("pool", 100, Bottleneck.DATABASE),
        ("lock", 50, Bottleneck.LOCK),
        ("cpu", 10, Bottleneck.CORE),
    ],
)
def test_the_bottleneck_is_what_more_of_it_would_raise(
    view: str, concurrency: int, bottleneck: Bottleneck
) -> None:
    assert forecast(VIEWS[view], concurrency).bottleneck is bottleneck


def test_the_knee_is_where_the_bounds_meet() -> None:
    """A request of 51 ms of which one is the core's: 51 of them fill it."""
    assert knee(VIEWS["loop"]) == pytest.approx(51)
    assert knee(VIEWS["threads"]) == 20
    assert knee(VIEWS["blocked"]) == pytest.approx(1)


@given(st.integers(1, 2000), st.floats(0.1, 50), st.floats(0.1, 50), st.floats(0.1, 50))
def test_a_cost_lies_in_its_range(in_flight: int, one: float, eight: float, many: float) -> None:
    cost = Cost(one, eight, many, doubt=0.1)

    low_ms, high_ms = cost_range_ms(cost, in_flight)

    assert low_ms <= cost_ms(cost, in_flight) <= high_ms


def test_the_bursts_themselves_are_met() -> None:
    cost = Cost(1.5, 1.0, 1.2)

    assert [cost_ms(cost, number) for number in (1, 8, 32)] == pytest.approx([1.5, 1.0, 1.2])


@pytest.mark.parametrize("at_32_ms", [0.8, 1.2])
def test_a_change_that_chance_makes_is_not_carried_on(at_32_ms: float) -> None:
    """Two bursts of a second differ by a sixth: a rise counts for as much as a fall."""
    assert cost_ms(Cost(1.5, 1.0, at_32_ms), 200) == pytest.approx(at_32_ms)


def test_the_interval_widens_with_the_distance_from_the_bursts() -> None:
    """Three points do not tell whether a cost goes on growing."""
    network = Network(Cost(1.0, 1.0, 1.25, doubt=0.05), wait_ms=1.0)

    widths = [
        math.log(each.high_rps / each.low_rps)
        for each in (forecast(network, number) for number in (32, 100, 400))
    ]

    assert widths[0] < widths[1] < widths[2]


def test_no_number_where_the_cost_grows_beyond_the_bursts() -> None:
    """A threaded server takes only so many in: there the bursts have seen the cost."""
    growth = Growth(ratio=3.1, library="httpx")
    network = Network(Cost(2.0, 2.0, 6.2), wait_ms=50.0)

    assert forecast(network, 200, growth).rate_rps is None
    assert forecast(network, 200, growth).mean_ms is None
    assert forecast(network, 20, growth).rate_rps is not None
    assert forecast(replace(network, front=20), 200, growth).rate_rps is not None


def test_a_verdict_is_predicted_and_needs_both_numbers() -> None:
    twenty, hundred = VIEWS["threads"], replace(VIEWS["threads"], front=100)

    helps = judged(forecast(twenty, 200), forecast(hundred, 200))
    same = judged(forecast(twenty, 10), forecast(hundred, 10))
    unknown = judged(forecast(twenty, 200), Forecast(200, None, 0.0, math.inf, Bottleneck.CORE))

    assert helps.answer is Answer.HELPS
    assert same.answer is Answer.NO_DIFFERENCE
    assert unknown.answer is Answer.UNKNOWN
    assert "B" in unknown.missing
    assert {helps.basis, same.basis, unknown.basis} == {Basis.PREDICTED}


@given(st.floats(0.05, 0.3), st.integers(2, 300))
def test_doubt_about_the_cost_never_narrows_an_interval(doubt: float, concurrency: int) -> None:
    sure = Network(steady(2.0), wait_ms=40.0)
    unsure = replace(sure, cost=replace(sure.cost, doubt=doubt))

    narrow, wide = forecast(sure, concurrency), forecast(unsure, concurrency)

    assert wide.low_rps <= narrow.low_rps <= rate_at(sure, concurrency)
    assert rate_at(sure, concurrency) <= narrow.high_rps <= wide.high_rps


def test_a_curve_reaches_from_one_to_the_highest() -> None:
    drawn = curve(VIEWS["loop"], 200)

    assert [drawn[0].concurrency, drawn[-1].concurrency] == [1, 200]
    assert all(a.concurrency < b.concurrency for a, b in itertools.pairwise(drawn))
