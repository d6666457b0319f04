from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from freeloop.measure.client.arrivals import drive
from freeloop.measure.load import Load, LoadResult
from freeloop.model.request import RequestSpec
from freeloop.model.run import Arrivals
from tests.measure.client.scripted import OK, Peer, Script, always, open_load, serving

if TYPE_CHECKING:
    from freeloop.measure.client import RawEngine

pytestmark = [pytest.mark.real, pytest.mark.alone]

PAGE = RequestSpec(name="page", url="/")


def after(seconds: float) -> Script:
    """Answer each request after this time."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await asyncio.sleep(seconds)
            await peer.send(OK)

    return script


def test_closed_connections_send_one_after_the_other(engine: RawEngine) -> None:
    """Throughput is connections over service time, as in a closed network."""
    with serving(after(0.05)) as seen:
        (result,) = engine.run(Load(port=seen.port, requests=(PAGE,), connections=4, seconds=1.0))

    assert result.seconds == 1.0
    assert seen.connections == 4
    assert 0.7 * 80 <= result.completed <= 80
    assert result.latency_ms.min() >= 49
    assert result.finished_ms.max() <= 1000
    assert result.latency_ms.shape == result.finished_ms.shape == (result.completed,)
    assert 0 < result.client_cpu_ms < 500


def test_answers_after_the_closed_window_are_waited_for_and_not_counted(engine: RawEngine) -> None:
    """Work left in the server would spoil the next round; counting it would spoil this one."""
    with serving(after(0.2)) as seen:
        (result,) = engine.run(Load(port=seen.port, requests=(PAGE,), connections=3, seconds=0.3))

    assert len(seen.requests) == 6
    assert (result.completed, result.failed) == (3, 0)
    assert result.late == 3


def test_open_arrivals_come_at_their_rate_and_all_are_counted(engine: RawEngine) -> None:
    """Coordinated omission: leaving out the late ones is what makes a server look good."""
    with serving(after(0.3)) as seen:
        (result,) = engine.run(open_load(seen.port, count=50, rate_rps=100, connections=100))

    assert (result.completed, result.failed) == (50, 0)
    assert result.seconds > 0.75
    arrived_ms = np.sort(result.finished_ms - result.latency_ms)
    assert np.abs(arrived_ms - 10 * np.arange(50)).max() < 1
    # Each finds the connections before it busy: about 30 are in flight after 300 ms.
    assert 25 <= seen.connections <= 50


def test_an_open_arrival_waits_for_a_connection_and_its_wait_counts(engine: RawEngine) -> None:
    """One connection and 50 ms each: the n-th of a rush waits for n - 1 others."""
    with serving(after(0.05)) as seen:
        (result,) = engine.run(open_load(seen.port, count=10, rate_rps=1000))

    assert seen.connections == 1
    assert result.completed == 10
    assert result.latency_ms.max() > 9 * 45
    assert np.all(np.diff(result.latency_ms) > 0)
    assert result.first_byte_ms.max() < 0.5 * result.latency_ms.max()


def test_the_open_model_sees_a_stall_that_the_closed_one_hides(engine: RawEngine) -> None:
    """A blocked loop is the fault that this tool hunts."""
    start_s = time.monotonic()

    async def stalling(peer: Peer) -> None:
        while True:
            await peer.request()
            into_s = (time.monotonic() - start_s) % 0.5
            # Held for the last 150 ms of each 500: 30 % of the arrivals wait.
            await asyncio.sleep(max(0.0, 0.5 - into_s) if into_s > 0.35 else 0.0)
            await peer.send(OK)

    with serving(stalling) as seen:
        closed, constant = (
            engine.run(Load(port=seen.port, requests=(PAGE,), connections=2, seconds=1.0))[0],
            engine.run(open_load(seen.port, count=100, rate_rps=100, connections=50))[0],
        )

    truth_ms = 150 * (0.9 - 0.7) / 0.3
    assert np.quantile(constant.latency_ms, 0.9) == pytest.approx(truth_ms, rel=0.3)
    assert np.quantile(closed.latency_ms, 0.9) < truth_ms / 5


def test_a_burst_sends_all_at_once_and_waits_for_every_answer(engine: RawEngine) -> None:
    """Twenty guests at the counter: the last one's time is the race."""
    lock = asyncio.Lock()

    async def one_at_a_time(peer: Peer) -> None:
        await peer.request()
        async with lock:
            await asyncio.sleep(0.02)
        await peer.send(OK)
        await peer.request()

    with serving(one_at_a_time) as seen:
        burst = Load(
            port=seen.port, requests=(PAGE,), arrivals=Arrivals.BURST, connections=20, seconds=0.1
        )
        (result,) = engine.run(burst)

    assert (result.completed, result.failed) == (20, 0)
    assert seen.connections == len(seen.requests) == 20
    assert np.all(result.latency_ms == result.finished_ms)
    assert result.finished_ms.max() == pytest.approx(result.seconds * 1e3)
    assert result.finished_ms.max() > 20 * 20


def test_a_burst_ends_at_the_time_out(engine: RawEngine) -> None:
    """Who was not answered by then is counted as such."""

    async def half(peer: Peer) -> None:
        await peer.request()
        if peer.number % 2:
            await peer.send(OK)
        await peer.request()

    with serving(half) as seen:
        burst = Load(
            port=seen.port,
            requests=(PAGE,),
            arrivals=Arrivals.BURST,
            connections=6,
            timeout_s=0.3,
        )
        (result,) = engine.run(burst)

    assert result.completed == 3
    assert result.failures == {"timed out": 3}


def test_loads_run_side_by_side(engine: RawEngine) -> None:
    """A neighbour is measured under the load that may disturb it, not after it."""
    with serving(after(0.02)) as heavy, serving(always(OK)) as light:
        loud, quiet = engine.run(
            Load(port=heavy.port, requests=(PAGE,), connections=10, seconds=0.5),
            open_load(light.port, count=25, rate_rps=50),
        )

    assert loud.completed > 100
    assert quiet.completed == 25
    assert loud.client_cpu_ms == quiet.client_cpu_ms
    assert any("side by side" in note for note in quiet.notes)


@pytest.mark.parametrize("arrivals", list(Arrivals))
def test_the_models_run_on_plain_asyncio_too(arrivals: Arrivals) -> None:
    """Where there is no uvloop, the client costs more and measures the same."""

    async def run(port: int) -> LoadResult:
        one = drive(
            Load(
                port=port,
                requests=(PAGE,),
                arrivals=arrivals,
                connections=5,
                seconds=0.2,
                rate_rps=100,
            )
        )
        await one.prepare()
        await one.run()
        result = one.result()
        await asyncio.sleep(0.01)
        return result

    with serving(after(0.01)) as seen:
        result = asyncio.run(run(seen.port))

    assert result.failed == 0
    assert result.latency_ms.min() >= 9
    match arrivals:
        case Arrivals.CLOSED:
            assert 20 <= result.completed <= 100
        case Arrivals.OPEN:
            assert result.completed == 20
        case Arrivals.BURST:
            assert result.completed == 5
