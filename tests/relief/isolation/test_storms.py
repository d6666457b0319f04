"""No request sees anything of another, whatever happens to it."""

from __future__ import annotations

import random
from typing import Any

import django
import pytest
from hypothesis import HealthCheck, given, settings

from tests.relief.isolation import databases, sites
from tests.relief.isolation.leaks import MOST_LOST_ON_BRIDGES, allowed
from tests.relief.isolation.plans import plans, random_plan

pytestmark = [pytest.mark.real, pytest.mark.needs("postgresql", "linux")]

BASE = {"visitor": 1, "view": "steps", "method": "GET", "wait": 0, "raise": None, "fault": None}


# The pool of an earlier test may still have threads that use `random` for its pauses: Hypothesis
# then takes it for the strategy, which draws everything.
@pytest.mark.filterwarnings(
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)
@given(plan=plans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_requests_that_meet_see_only_themselves(relief: sites.Site, plan: dict[str, Any]) -> None:
    """Any views, steps, faults and middleware orders; a failure comes as a small plan."""
    noted = relief.ask(plan)

    assert noted["wrong"] == []
    assert noted["lost_on_bridges"] <= MOST_LOST_ON_BRIDGES
    assert noted["threads_left"] == []


@pytest.mark.parametrize("seed", range(3))
def test_hundreds_of_requests_at_once_see_only_themselves(
    relief: sites.Site, database: str, seed: int
) -> None:
    """Half of them are cancelled or left by their client at a random moment."""
    noted = relief.ask(random_plan(random.Random(seed), 300))

    assert noted["wrong"] == []
    assert noted["lost_on_bridges"] <= MOST_LOST_ON_BRIDGES
    assert noted["threads_left"] == []
    assert noted["looks"] > 3000
    assert {"200", "500", "0"} <= set(noted["statuses"])
    assert [mark for what, mark in databases.kept_marks(database) if what == "lost"] == []


def test_no_session_of_the_database_outlives_the_requests(
    stock: sites.Site, relief: sites.Site, database: str
) -> None:
    """A cancelled request is not finished by Django; its connection waits for the collector."""
    left = []
    for site in (stock, relief):
        site.ask({"collect": True})
        before = databases.connected(database)
        site.ask(random_plan(random.Random(99), 200))
        site.ask({"collect": True})
        left.append(max(0, databases.settled(database, before) - before))

    assert left[1] <= allowed(left[0])
    if django.VERSION >= (6, 1):
        assert databases.settled(database) == 0


@pytest.mark.parametrize("stack", [[], [[0, "sync"], [4, "hooks"]], [[8, "sync"], [3, "async"]]])
@pytest.mark.parametrize("fault", ["cancel", "disconnect"])
def test_a_request_disturbed_at_any_tick_harms_nobody(
    relief: sites.Site, stack: list[Any], fault: str
) -> None:
    """One request for each turn of the loop, alone with its ghosts: the one before, unfinished."""
    steps = ["hop", "user", "query", "session", "message", "commit"]
    requests = [{**BASE, "steps": steps, "fault": [fault, tick]} for tick in range(120)]

    noted = relief.ask({"stack": stack, "requests": requests, "at_once": 2})

    assert noted["wrong"] == []
    assert noted["lost_on_bridges"] <= MOST_LOST_ON_BRIDGES
    assert noted["threads_left"] == []


def test_no_thread_waits_for_the_collector_when_clients_leave(relief: sites.Site) -> None:
    """What happens every day, a client that goes away, leaves nothing to clean up."""
    plan = random_plan(random.Random(7), 150)
    for request in plan["requests"]:
        if request["fault"]:
            request["fault"][0] = "disconnect"

    noted = relief.ask(plan)

    assert noted["wrong"] == []
    assert noted["lost_on_bridges"] <= MOST_LOST_ON_BRIDGES
    assert noted["threads_left"] == []


PAUSES = ("before the view", "after the view", "process_request", "process_view")


@pytest.mark.parametrize("view", ["steps", "bridge", "sync", "stream"])
@pytest.mark.parametrize("fault", ["cancel", "disconnect"])
def test_a_request_disturbed_while_a_thread_works_for_it_ends_as_in_stock(
    stock: sites.Site, relief: sites.Site, view: str, fault: str
) -> None:
    """The middleware says when it is in its thread; the same moment for both."""
    for pause in (*PAUSES, "process_response"):
        for place in (0, 4, 8):
            request = {**BASE, "view": view, "steps": ["tick"], "pause": pause}
            request["fault"] = [fault, "at a step"]
            plan = {"stack": [[place, "sync"], [place, "hooks"]], "requests": [request]}
            with_relief, without = relief.ask(plan), stock.ask(plan)

            assert with_relief["wrong"] == without["wrong"] == []
            assert with_relief["statuses"] == without["statuses"]
            assert with_relief["threads_left"] == []


def test_a_shared_thread_would_be_seen(database: str) -> None:
    """The looks above are worth something: this site has one thread for all requests."""
    with sites.running(database, "one thread") as site:
        requests = [{**BASE, "visitor": n, "steps": ["hop", "query"]} for n in range(4)]
        noted = site.ask({"stack": [], "requests": requests, "patience_s": 0})
        wrong = " ".join(noted["wrong"])

    assert "serves" in wrong
    for place in ("threading.local", "thread-critical Local", "connection object"):
        assert f"in {place}, not" in wrong


def test_a_shared_context_would_be_seen(relief: sites.Site) -> None:
    """Here all requests run in one context, as no server does."""
    requests = [{**BASE, "visitor": n, "steps": ["sleep", "sleep"]} for n in range(4)]

    plan = {"stack": [[8, "async"]], "requests": requests, "one_context": True, "patience_s": 0}
    wrong = " ".join(relief.ask(plan)["wrong"])

    # Django 5.2 and 6.0 answer in a task of the request's own, so its context is a copy.
    inner = ("contextvar", "asgiref.Local", "language", "time zone")
    for place in ("script prefix", *(inner if django.VERSION >= (6, 1) else ())):
        assert f"in {place}, not" in wrong
