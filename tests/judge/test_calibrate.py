"""Bursts become a network: what a burst shows beside its CPU."""

from __future__ import annotations

from dataclasses import replace

import pytest

from freeloop.judge.calibrate import growth, library_growth, network_of, taken_share
from freeloop.judge.predict import forecast, rate_at
from freeloop.judge.request_structure import Structure, WaitingCall
from freeloop.model.plan import Arm
from freeloop.model.prediction import Bottleneck, Burst, Calibration, CallCost, LimitKind
from freeloop.model.trace import MarkKind

NOTHING = Structure(
    async_view=True,
    calls=(),
    blocked_ms=0.0,
    executor_ms=0.0,
    executor_slots=5,
    connection_ms=0.0,
    pool_slots=None,
    serial=(),
    queued_on_thread=0,
)


def burst(number: int, rate_rps: float, cpu_ms: float, latency_ms: float) -> Burst:
    """Return a burst on a core that nobody else used."""
    return Burst(
        concurrency=number,
        completed=max(number, round(rate_rps)),
        failed=0,
        rate_rps=rate_rps,
        latency_ms=latency_ms,
        cpu_ms=cpu_ms,
        busy=min(1.0, rate_rps * cpu_ms / 1000),
        queue_ms=0.0,
    )


def calibration(*bursts: Burst, server: str = "uvicorn", threads: int | None = None) -> Calibration:
    return Calibration(Arm("arm", server), "/", bursts, threads, cores=1)


WAITING = calibration(
    burst(1, 19.2, 2.0, 52.0), burst(8, 150.0, 1.0, 52.0), burst(32, 600.0, 1.0, 52.0)
)


def test_the_wait_is_what_one_request_alone_did_not_compute() -> None:
    network = network_of(WAITING, NOTHING, asgi=True)

    assert network.wait_ms == pytest.approx(50.0)
    assert network.blocked_ms == 0
    assert network.limits == ()


def test_waiting_for_a_core_is_no_wait_of_the_request() -> None:
    """On a busy machine one request alone waits for its core as well."""
    alone = replace(WAITING.bursts[0], queue_ms=30.0)

    network = network_of(replace(WAITING, bursts=(alone, *WAITING.bursts[1:])), NOTHING, asgi=True)

    assert network.wait_ms == pytest.approx(20.0)


def disturbed(found: Calibration, times: float) -> Calibration:
    """Return bursts whose server wanted the core so many times as long as it had it."""
    bursts = tuple(replace(each, busy=min(1.0, times * each.busy)) for each in found.bursts)
    return replace(found, bursts=bursts)


def test_the_share_that_others_had_is_of_what_the_server_wanted() -> None:
    """Not of the core: what runs while the server waits takes nothing from it."""
    resting = calibration(burst(1, 19.2, 2.0, 52.0), burst(8, 150.0, 1.0, 52.0))

    assert taken_share(resting) == pytest.approx(0.0)
    assert taken_share(disturbed(resting, 4.0)) == pytest.approx(0.75)


def test_bursts_that_others_disturbed_are_trusted_less() -> None:
    calm = network_of(WAITING, NOTHING, asgi=True)
    shared = network_of(disturbed(WAITING, 1.6), NOTHING, asgi=True)

    assert shared.cost.doubt > 1.5 * calm.cost.doubt
    assert shared.cost.at_32_ms == calm.cost.at_32_ms


def test_blocking_counts_as_a_wait_under_wsgi_and_for_everyone_under_asgi() -> None:
    """The same call in the same view holds one thread there, and the loop of all here."""
    blocking = replace(NOTHING, blocked_ms=20.0)
    blocked = calibration(
        burst(1, 45.0, 2.0, 22.0), burst(8, 45.0, 2.0, 176.0), burst(32, 45.0, 2.0, 700.0)
    )

    loop = network_of(blocked, blocking, asgi=True)
    thread = network_of(replace(WAITING, thread_limit=32), blocking, asgi=False)

    assert (loop.wait_ms, loop.blocked_ms) == pytest.approx((0.0, 20.0))
    assert rate_at(loop, 200) == pytest.approx(1000 / 22, rel=0.01)
    assert (thread.wait_ms, thread.blocked_ms) == pytest.approx((50.0, 0.0))


def test_a_rested_server_that_falls_behind_has_a_limit_that_nobody_named() -> None:
    """Five of 32 at a time: the rate tells the limit, though no trace shows it."""
    held_back = calibration(
        burst(1, 19.6, 1.0, 51.0), burst(8, 98.0, 1.0, 80.0), burst(32, 98.0, 1.0, 320.0)
    )

    network = network_of(held_back, NOTHING, asgi=True)

    (limit,) = network.limits
    assert (limit.kind, limit.slots) == (LimitKind.UNSEEN, 5)
    assert rate_at(network, 200) == pytest.approx(98, rel=0.05)
    assert forecast(network, 200).bottleneck is Bottleneck.UNSEEN


def test_a_limit_that_the_trace_named_is_not_found_again() -> None:
    held_back = calibration(
        burst(1, 19.6, 1.0, 51.0), burst(8, 98.0, 1.0, 80.0), burst(32, 98.0, 1.0, 320.0)
    )
    to_thread = replace(NOTHING, executor_ms=50.0)

    network = network_of(held_back, to_thread, asgi=True)

    assert [each.kind for each in network.limits] == [LimitKind.EXECUTOR]


def test_a_busy_core_is_no_unseen_limit() -> None:
    cpu = calibration(
        burst(1, 48.0, 20.0, 20.5), burst(8, 49.0, 20.0, 160.0), burst(32, 49.0, 20.0, 640.0)
    )

    assert network_of(cpu, NOTHING, asgi=True).limits == ()


def test_requests_that_fell_behind_by_taking_turns_are_seen_to() -> None:
    """Seen on uvicorn with Django's default middleware: 1.7 ms each, 50 ms, 326/s and not 540."""
    turns = calibration(
        burst(1, 19.0, 1.7, 51.7), burst(8, 126.0, 1.7, 64.0), burst(32, 326.0, 1.7, 89.0)
    )

    network = network_of(turns, NOTHING, asgi=True)

    assert network.in_step > 0.8
    assert network.limits == ()
    assert rate_at(network, 32) == pytest.approx(326, rel=0.07)


@pytest.mark.parametrize(("at_32_ms", "grows"), [(1.3, False), (1.4, True)])
def test_a_cost_that_grows_by_more_than_a_third_is_called_growing(
    at_32_ms: float, grows: bool
) -> None:
    bursts = (*WAITING.bursts[:2], replace(WAITING.bursts[2], cpu_ms=at_32_ms))

    assert (growth(replace(WAITING, bursts=bursts)) is not None) is grows


def test_the_library_whose_cpu_grew_most_is_named() -> None:
    """Not the one with most CPU: Django has that at any number in flight."""
    bursts = (*WAITING.bursts[:2], replace(WAITING.bursts[2], cpu_ms=3.0))
    shares = {"django": (0.8, 0.9), "httpcore": (0.2, 2.0)}

    found = growth(replace(WAITING, bursts=bursts, cpu_by_library=shares))

    assert found is not None
    assert found.library == "httpcore"
    assert found.ratio == pytest.approx(3.0)


def test_a_client_that_grows_is_named_though_the_bursts_hide_it() -> None:
    """Seen with httpx: at 32 in flight Django's part of a request had become as much cheaper."""
    outbound = WaitingCall(MarkKind.OUTBOUND, "GET a", "httpx", "views.py:1", 50.0, 0.0, 0)
    asks_httpx = replace(NOTHING, calls=(outbound,))
    calls = {
        "httpx.AsyncClient": CallCost(0.7, 1.4),
        "httpx.Client": CallCost(0.3, 0.3),
        "aiohttp": CallCost(0.1, 0.1),
    }

    found = library_growth(WAITING, asks_httpx, calls)

    assert growth(WAITING) is None
    assert found is not None
    assert found.library == "httpx"
    assert found.ratio == pytest.approx(2.0)
    assert library_growth(WAITING, replace(asks_httpx, async_view=False), calls) is None
    assert library_growth(WAITING, NOTHING, calls) is None
