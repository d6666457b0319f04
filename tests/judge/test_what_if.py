"""Changes thought through: what each does to a network, and when it does nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from freeloop.judge.predict import rate_at
from freeloop.judge.request_structure import SerialWaits, WaitingCall
from freeloop.judge.what_if import Change, Known, changed
from freeloop.model.prediction import CallCost, Cost, LimitKind, Network
from freeloop.model.trace import MarkKind
from tests.judge.test_calibrate import NOTHING

CALLS = {
    "aiohttp": CallCost(0.1, 0.1),
    "requests": CallCost(0.4, 0.4),
    "hop": CallCost(0.03, 0.03),
    "task": CallCost(0.01, 0.01),
}
COST = Cost(2.0, 2.0, 2.0)


def call(
    kind: MarkKind, ms: float, *, blocked: bool = False, text: str = "", library: str = ""
) -> WaitingCall:
    return WaitingCall(kind, text, library, "shop/views.py:7", ms, ms if blocked else 0.0, lane=1)


def known(*calls: WaitingCall, async_view: bool = True) -> Known:
    structure = replace(
        NOTHING,
        async_view=async_view,
        calls=calls,
        blocked_ms=sum(each.blocked_ms for each in calls),
        connection_ms=sum(each.ms for each in calls if each.kind is MarkKind.QUERY),
    )
    return Known(structure, CALLS)


def test_a_blocking_sleep_awaited_becomes_a_wait() -> None:
    """From one at a time to as many as the core allows."""
    blocked = Network(COST, wait_ms=0.0, blocked_ms=50.0)

    found = changed(blocked, Change("awaited"), known(call(MarkKind.SLEEP, 50.0, blocked=True)))

    assert (found.network.blocked_ms, found.network.wait_ms) == (0.0, 50.0)
    assert rate_at(blocked, 10) == pytest.approx(1000 / 52, rel=0.01)
    assert rate_at(found.network, 10) > 8 * rate_at(blocked, 10)


def test_only_the_calls_that_are_named_change() -> None:
    calls = (
        call(MarkKind.SLEEP, 30.0, blocked=True, text="time.sleep"),
        call(MarkKind.OUTBOUND, 20.0, blocked=True, text="GET a 200", library="requests"),
    )
    blocked = Network(COST, wait_ms=0.0, blocked_ms=50.0)

    found = changed(blocked, Change("awaited", only="time.sleep"), known(*calls))

    assert found.network.blocked_ms == pytest.approx(20.0)
    assert found.network.cost.added_ms == 0


def test_another_client_brings_its_own_cost() -> None:
    """D' = D - k d(old) + k d(new): four calls at 0.4 ms become four at 0.1 ms."""
    calls = [call(MarkKind.OUTBOUND, 50.0, library="requests") for _ in range(4)]
    network = Network(COST, wait_ms=200.0)

    found = changed(network, Change("awaited"), known(*calls, async_view=False))

    assert found.network.cost.added_ms == pytest.approx(-1.2)
    assert found.network.cost.doubt > network.cost.doubt
    assert found.growth is None
    assert found.replaced == {"requests"}


def test_a_client_whose_cost_grows_gives_no_number_and_is_named() -> None:
    only_httpx = {
        "requests": CallCost(0.4, 0.4),
        "httpx.AsyncClient": CallCost(0.7, 1.5),
    }
    asked = replace(
        known(call(MarkKind.OUTBOUND, 50.0, blocked=True, library="requests")), calls=only_httpx
    )

    found = changed(Network(COST, wait_ms=0.0, blocked_ms=50.0), Change("awaited"), asked)

    assert found.growth is not None
    assert found.growth.library == "httpx"


def test_gathered_calls_last_as_long_as_the_longest() -> None:
    calls = [call(MarkKind.OUTBOUND, 50.0, library="requests") for _ in range(4)]
    network = Network(COST, wait_ms=200.0)

    sync = changed(network, Change("gathered"), known(*calls, async_view=False))
    structure = replace(NOTHING, serial=(SerialWaits("checkout", 150.0, 4),))
    already_async = changed(network, Change("gathered"), Known(structure, CALLS))

    assert sync.network.wait_ms == pytest.approx(50.0)
    assert already_async.network.wait_ms == pytest.approx(50.0)
    assert already_async.network.cost.added_ms == pytest.approx(0.04)


def test_gathered_queries_gain_nothing() -> None:
    """Folklore says ten times; Django has one thread for all queries of a request."""
    queries = [call(MarkKind.QUERY, 50.0) for _ in range(3)]
    network = Network(COST, wait_ms=150.0)

    for async_view in (True, False):
        found = changed(network, Change("gathered"), known(*queries, async_view=async_view))

        assert found.network == network
        assert found.remarks[0].startswith("no gain: Django runs all queries")


def test_an_offloaded_call_is_limited_by_the_executor() -> None:
    """`asyncio.to_thread` has a few threads more than the machine has cores."""
    blocked = Network(COST, wait_ms=0.0, blocked_ms=50.0)

    found = changed(blocked, Change("offloaded"), known(call(MarkKind.SLEEP, 50.0, blocked=True)))

    assert [(each.kind, each.slots) for each in found.network.limits] == [(LimitKind.EXECUTOR, 5)]
    assert rate_at(found.network, 200) == pytest.approx(100, rel=0.02)


@pytest.mark.parametrize("verb", ["awaited", "offloaded"])
def test_a_view_that_computes_gains_nothing_by_leaving_the_loop(verb: str) -> None:
    network = Network(Cost(20.0, 20.0, 20.0), wait_ms=0.0)
    change = Change("awaited" if verb == "awaited" else "offloaded")

    found = changed(network, change, known())

    assert found.network == network
    assert found.remarks[0].startswith("no gain")


def test_relief_takes_off_what_its_bursts_cost_less() -> None:
    changes = Known(
        NOTHING,
        CALLS,
        relieved=Network(Cost(1.0, 0.8, 0.7), wait_ms=50.0, in_step=0.2),
        plain=Network(Cost(2.0, 1.5, 1.4), wait_ms=50.0, in_step=0.9),
    )
    network = Network(Cost(5.0, 4.0, 4.0, added_ms=0.3), wait_ms=10.0)

    found = changed(network, Change("relief"), changes).network

    cost = found.cost
    assert found.in_step == 0.2  # Django's hops make requests go in step, and they are left out
    assert (cost.alone_ms, cost.at_8_ms, cost.at_32_ms) == pytest.approx((4.0, 3.3, 3.3))
    assert cost.added_ms == 0.3


def test_a_pool_caps_requests_that_hold_a_connection() -> None:
    network = Network(COST, wait_ms=50.0)
    slow = known(call(MarkKind.QUERY, 50.0))

    found = changed(network, Change("pool", value=10), slow)
    none = changed(network, Change("pool", value=10), known(call(MarkKind.SLEEP, 50.0)))

    assert rate_at(found.network, 200) == pytest.approx(200, rel=0.02)
    assert none.network == network
    assert none.remarks[0].startswith("no gain")


def test_a_client_of_few_connections_caps_requests_and_gathered_calls_share_it() -> None:
    """HTTP clients have 100 unless told otherwise: a limit that no single trace can show."""
    one = known(call(MarkKind.OUTBOUND, 50.0))
    four = known(*(call(MarkKind.OUTBOUND, 50.0) for _ in range(4)))
    network = Network(Cost(0.2, 0.2, 0.2), wait_ms=50.0)
    change = Change("connections", value=20)

    single = changed(network, change, one).network
    gathered = changed(network, change, four).network

    assert rate_at(single, 200) == pytest.approx(400, rel=0.02)
    assert rate_at(gathered, 200) == pytest.approx(100, rel=0.02)
    assert changed(network, change, known()).remarks[0].startswith("no gain")


def test_threads_change_servers_that_have_them() -> None:
    threads = Network(COST, wait_ms=50.0, front=20)

    more = changed(threads, Change("threads", value=100), known())
    loop = changed(Network(COST, wait_ms=50.0), Change("threads", value=100), known())

    assert more.network.front == 100
    assert loop.remarks[0].startswith("no gain")
