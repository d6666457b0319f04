"""Connections held and used, sessions and relief: the café on PostgreSQL with Django's pool."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import freeloop
from freeloop.model.trace import Edge, LaneKind, Mark, MarkKind, Trace
from tests.examples.cafe import CAFE

pytestmark = [pytest.mark.real, pytest.mark.needs("postgresql")]

LEFT = """
import django
django.setup()
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
print(Session.objects.count(), User.objects.get(username="cook").last_login)
"""

type Record = Callable[..., Trace]


@pytest.fixture
def record(pooled_cafe: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Record:
    """Record a request to the café."""
    for name, value in pooled_cafe.items():
        monkeypatch.setenv(name, value)

    def trace(path: str, **options: Any) -> Trace:
        return freeloop.trace(path, start=CAFE, **options)

    return trace


def of(trace: Trace, kind: MarkKind, edge: Edge) -> list[Mark]:
    return [mark for mark in trace.marks if mark.kind is kind and mark.edge is edge]


def test_a_pooled_connection_is_held_longer_than_it_is_used(record: Record) -> None:
    """From the pool's giving to the taking back; Django gives it back at the request's end."""
    trace = record("/slow-query/async/?ms=20")

    (held,) = of(trace, MarkKind.CONNECTION, Edge.BEGIN)
    (given_back,) = of(trace, MarkKind.CONNECTION, Edge.END)
    (query,) = of(trace, MarkKind.QUERY, Edge.BEGIN)
    (answered,) = of(trace, MarkKind.QUERY, Edge.END)
    (view,) = of(trace, MarkKind.VIEW, Edge.END)
    assert held.at_ns <= query.at_ns < answered.at_ns < view.at_ns < given_back.at_ns
    assert "unfinished" not in given_back.detail
    assert held.detail["pooled"] is True
    assert held.detail["opened"] == "now"
    assert trace.lanes[held.lane].kind is LaneKind.CONNECTION
    assert query.detail["connection"] == held.lane


def test_gathered_queries_are_put_down_to_the_line_that_gathered(record: Record) -> None:
    """A task of Django's own coroutine has no frame of the project in its stack."""
    trace = record("/three-slow-queries/gathered/async/?ms=5")

    queries = of(trace, MarkKind.QUERY, Edge.BEGIN)
    places = [trace.places[query.place] for query in queries if query.place is not None]
    assert len(queries) == 3
    assert len({query.lane for query in queries}) == 1
    assert {place.function for place in places} == {"three_gathered_async"}


def test_a_query_of_the_asynchronous_driver_needs_no_thread(record: Record) -> None:
    """It waits on the loop, past Django."""
    trace = record("/slow-query/driver/async/?ms=5")

    (query,) = of(trace, MarkKind.QUERY, Edge.BEGIN)
    assert trace.lanes[query.lane].kind is LaneKind.TASK
    assert query.text.startswith("SELECT name, price_cents, pg_sleep(%s)")


def test_a_session_is_made_for_the_request_and_removed(record: Record) -> None:
    """No login signal is sent: `last_login` stays as it was."""
    trace = record("/hello/async/", user="cook")

    left = subprocess.run(
        [sys.executable, "-c", LEFT], cwd=CAFE, check=True, capture_output=True, text=True
    )
    assert trace.request.status == 200
    assert left.stdout.split() == ["0", "None"]


def test_with_relief_the_hops_of_django_are_gone(record: Record) -> None:
    """The same request, twice: what is left is the query and the giving back."""
    stock = record("/query/async/")
    relieved = record("/query/async/", relief=True)

    assert (stock.request.relieved, relieved.request.relieved) == (False, True)
    assert len(of(stock, MarkKind.HOP, Edge.BEGIN)) > 10
    assert len(of(relieved, MarkKind.HOP, Edge.BEGIN)) == 2
