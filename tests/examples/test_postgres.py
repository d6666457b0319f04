"""The café on PostgreSQL, with Django's pool and with the driver's own asynchronous one."""

from __future__ import annotations

import pytest

from tests.examples.cafe import GTHREAD, Site, at_once, serving

pytestmark = [pytest.mark.real, pytest.mark.alone]


@pytest.mark.parametrize("query", ["query", "slow-query"])
def test_every_way_to_a_dish_gives_the_same_dish(postgres_site: Site, query: str) -> None:
    """The driver's SQL is written by hand and has to agree with the ORM's."""
    ways = ("sync", "async", "adapter/async", "driver/async")

    answers = [postgres_site.get(f"/{query}/{way}/?ms=10") for way in ways]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.text for answer in answers}) == 1


def test_waits_in_the_driver_overlap(postgres_site: Site) -> None:
    """Its connections wait on the event loop, so guests wait together."""
    postgres_site.get("/slow-query/driver/async/?ms=0")

    answers, together_s = at_once(6, lambda: postgres_site.get("/slow-query/driver/async/?ms=300"))

    assert [answer.status_code for answer in answers] == [200] * 6
    assert together_s < 6 * 0.3


def test_a_pool_of_five_serves_ten_slow_queries_in_two_waves(postgres_site: Site) -> None:
    """CAFE_POOL reaches Django: the size of the pool is what limits a slow query."""
    answers, together_s = at_once(10, lambda: postgres_site.get("/slow-query/sync/?ms=400"))

    assert [answer.status_code for answer in answers] == [200] * 10
    assert 2 * 0.4 <= together_s < 10 * 0.4


def test_the_driver_works_under_wsgi_with_a_connection_per_request() -> None:
    """A pool belongs to a loop, and under WSGI the loop ends with the request."""
    with serving(GTHREAD, "--postgres") as site:
        answers, _ = at_once(4, lambda: site.get("/query/driver/async/"))

    assert [answer.status_code for answer in answers] == [200] * 4
