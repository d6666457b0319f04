"""The solved network against the recursion of mean values, and against a simulation."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeloop.judge.closed_network import Station, throughputs, upper_bound
from tests.judge.network_simulation import Simulated, simulate

TIMES_MS = st.floats(0.01, 500.0)


def by_mean_values(services_ms: list[float], delay_ms: float, customers: int) -> list[float]:
    """Return throughputs by Reiser and Lavenberg's recursion; stations of one server each."""
    queues = [0.0] * len(services_ms)
    rates = [0.0]
    for number in range(1, customers + 1):
        times = [s * (1 + queue) for s, queue in zip(services_ms, queues, strict=True)]
        rates.append(number / (delay_ms + sum(times)))
        queues = [rates[-1] * time for time in times]
    return rates


@given(st.lists(TIMES_MS, min_size=1, max_size=4), TIMES_MS, st.integers(1, 300))
def test_convolution_gives_what_mean_value_analysis_gives(
    services_ms: list[float], delay_ms: float, customers: int
) -> None:
    """Two algorithms for the same product form, written apart."""
    stations = [Station(each) for each in services_ms]

    found = throughputs(stations, delay_ms=delay_ms, customers=customers)

    assert found == pytest.approx(by_mean_values(services_ms, delay_ms, customers), rel=1e-9)


@given(
    st.lists(st.tuples(TIMES_MS, st.integers(1, 40)), min_size=1, max_size=3),
    TIMES_MS,
    st.integers(1, 120),
)
def test_no_rate_is_above_its_bound_and_more_requests_never_do_less(
    stations: list[tuple[float, int]], delay_ms: float, customers: int
) -> None:
    known = [Station(service_ms, servers) for service_ms, servers in stations]

    found = throughputs(known, delay_ms=delay_ms, customers=customers)

    for number, rate in enumerate(found[1:], start=1):
        bound = upper_bound(known, delay_ms=delay_ms, customers=number)
        assert rate <= bound * (1 + 1e-9)
    assert all(one <= two * (1 + 1e-9) for one, two in itertools.pairwise(found))


@pytest.mark.parametrize("customers", [1, 4, 20, 51, 120])
@pytest.mark.parametrize("servers", [1, 4, 10])
def test_several_servers_do_what_a_simulation_of_them_does(servers: int, customers: int) -> None:
    """The recursion of mean values cannot be the judge here: it loses its digits."""
    simulated = Simulated(
        (("core", 1.0), ("pool", 20.0), ("wait", 30.0)), {"core": 1, "pool": servers}
    )

    rate_rps, _mean_ms = simulate(simulated, customers)

    found = throughputs([Station(1.0), Station(20.0, servers)], delay_ms=30.0, customers=customers)
    assert 1000 * found[-1] == pytest.approx(rate_rps, rel=0.04)


def test_a_thousand_requests_that_wait_ten_seconds_can_be_solved() -> None:
    """Products of this network have thousands of digits."""
    found = throughputs([Station(1.0)], delay_ms=10_000.0, customers=1000)

    assert math.isfinite(found[-1])
    assert 1000 * found[-1] == pytest.approx(1000 * 1000 / 10_001, rel=0.02)
