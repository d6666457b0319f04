"""A thousand disturbed requests leave nothing; ten thousand are in benchmarks/relief_leaks.py."""

from __future__ import annotations

import random

import pytest

from tests.relief.isolation.leaks import MOST_LOST_ON_BRIDGES, allowed, leaks_of

pytestmark = [pytest.mark.real, pytest.mark.needs("postgresql", "linux")]


def test_a_thousand_disturbed_requests_leave_no_connection_and_no_thread(database: str) -> None:
    """The default stack: logged in, sessions in the database, CONN_MAX_AGE=0.

    Before 6.1 no more than stock, asked the same.
    """
    found = leaks_of(database, "relief", 1000, random.Random(5))

    assert found.wrong == ()
    assert found.threads == found.lost_rows == 0
    assert found.lost_on_bridges <= MOST_LOST_ON_BRIDGES
    if found.connections:
        stock = leaks_of(database, "stock", 1000, random.Random(5))
        assert found.connections <= allowed(stock.connections)
    assert found.looks > 10_000
    assert found.statuses["200"] > 300
    assert found.statuses["0"] > 50
