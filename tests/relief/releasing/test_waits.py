"""Many requests that only wait hold no connection after a release."""

from __future__ import annotations

import pytest

from tests.relief.isolation.databases import settled
from tests.relief.releasing.served import crowd, held_by_streams, serving

pytestmark = [pytest.mark.real, pytest.mark.needs("postgresql")]

WAITING = 130
STREAMS = 50


def test_a_pool_of_20_serves_130_waiting_requests_that_released(database: str, guests: str) -> None:
    """Each waits a second after its query; without a release the pool lets 20 in at a time."""
    with serving(guests, ISOLATION_POOL="20") as site:
        released = crowd(site, "/query_release_wait/?s=1", WAITING, database)
        held = crowd(site, "/query_then_wait/?s=1", WAITING, database)

    assert released.statuses == {200: WAITING}
    assert 1 <= released.most_connections <= 20
    assert held.statuses == {200: WAITING}
    assert held.seconds > WAITING // 20
    assert released.seconds < held.seconds


def test_without_release_the_database_refuses_some_of_130(database: str, guests: str) -> None:
    """Stock Django, no pool: one connection for each, and the server has 97."""
    with serving(guests, "stock") as site:
        stock = crowd(site, "/query_then_wait/?s=3", WAITING, database)

    assert stock.statuses[500] >= WAITING - 97
    assert settled(database) == 0


@pytest.mark.parametrize(("application", "held"), [("relieved", 0), ("stock", STREAMS)])
def test_open_event_streams_hold_a_connection_each_or_none(
    database: str, application: str, held: int
) -> None:
    """After one query each; the stock one never releases."""
    path = "/released_stream/" if application == "relieved" else "/stream/"
    with serving(database, application) as site:
        assert held_by_streams(site, path, STREAMS, database) == held

    assert settled(database) == 0
