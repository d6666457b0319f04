"""The plan files name only what exists, and every request in them answers as expected."""

from __future__ import annotations

import tomllib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from websockets.sync.client import connect

from freeloop.model.plan import Question
from freeloop.model.request import Kind
from tests.examples.cafe import CAFE, Site

PLANS = ("all.toml", "demo.toml", "mended.toml", "postgres.toml", "writes.toml")
SERVERS = {"gunicorn:sync", "gunicorn:gthread", "uvicorn", "granian:wsgi", "granian:asgi"}


def read(plan: str) -> dict[str, Any]:
    return tomllib.loads((CAFE / plan).read_text())


def sides(plan: dict[str, Any]) -> list[list[str]]:
    pairs = [side for pair in plan["pair"] for side in (pair["a"], pair["b"])]
    return pairs + [side for race in plan.get("race", []) for side in race["sides"]]


def test_every_plan_file_is_looked_at() -> None:
    """A plan beside the tested ones would be shown to people and never run."""
    assert sorted(path.name for path in CAFE.glob("*.toml")) == sorted(PLANS)


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_names_what_it_defines_and_defines_what_it_names(name: str) -> None:
    """A typing error in a plan of sixty pairs would only show after minutes."""
    plan = read(name)
    requests = [request["name"] for request in plan["request"]]
    neighbours = {pair["neighbour"] for pair in plan["pair"] if "neighbour" in pair}

    assert plan["format"] == 1
    assert {arm for arm, _ in sides(plan)} == set(plan["arms"])
    assert {request for _, request in sides(plan)} | neighbours == set(requests)
    assert len(requests) == len(set(requests))
    assert {arm["server"] for arm in plan["arms"].values()} <= SERVERS


@pytest.mark.parametrize("name", PLANS)
def test_the_questions_of_a_plan_can_be_told_apart(name: str) -> None:
    """An id is what the result is found by, and the question is one of three words."""
    plan = read(name)
    ids = [each["id"] for each in (*plan["pair"], *plan.get("race", []))]

    assert {pair["question"] for pair in plan["pair"]} <= set(Question)
    assert {request.get("kind", "http") for request in plan["request"]} <= set(Kind)
    assert len(ids) == len(set(ids))


def test_a_served_pair_keeps_its_view_and_a_rewritten_one_changes_it() -> None:
    """Otherwise the verdict would answer another question than it says."""
    for plan in map(read, PLANS):
        for pair in plan["pair"]:
            same_view = pair["a"][1] == pair["b"][1]
            assert same_view == (pair["question"] != "rewrite"), pair["id"]


@pytest.mark.real
@pytest.mark.parametrize("name", ["all.toml", "demo.toml", "mended.toml", "writes.toml"])
def test_every_request_of_a_plan_answers_as_expected(site: Site, asgi: Site, name: str) -> None:
    """The expectation is what bench counts errors by."""
    _ask_all(site, name, sockets=site is asgi)


@pytest.mark.real
def test_every_request_of_the_postgres_plan_answers_as_expected(postgres_site: Site) -> None:
    """Its driver requests answer 501 anywhere else."""
    _ask_all(postgres_site, "postgres.toml", sockets=False)


def _ask_all(site: Site, name: str, *, sockets: bool) -> None:
    def answered(request: dict[str, Any]) -> bool:
        expected: str = request["expect"]["contains"]
        if request.get("kind") == "websocket":
            return not sockets or expected in _echo(site, request)
        if request.get("method") == "POST":
            answer = site.post(request["url"], content=request.get("body", "").encode())
        else:
            answer = site.get(request["url"])
        return answer.status_code == 200 and expected in answer.text

    requests = read(name)["request"]
    with ThreadPoolExecutor(8) as pool:
        right = dict(
            zip((each["name"] for each in requests), pool.map(answered, requests), strict=True)
        )

    assert [name for name, is_right in right.items() if not is_right] == []


def _echo(site: Site, request: dict[str, Any]) -> str:
    with connect(site.url(request["url"], "ws")) as socket:
        for message in request["send"]:
            socket.send(message)
        return str(socket.recv(timeout=10))
