"""Tasks inside of a request and tasks that outlive it find what they find in stock Django."""

from __future__ import annotations

from typing import Any

import pytest

from tests.relief.isolation import sites

pytestmark = [pytest.mark.real, pytest.mark.needs("postgresql")]

STACKS: list[list[Any]] = [
    [],
    [[0, "sync"]],
    [[8, "sync"]],
    [[4, "hooks"], [8, "async"]],
    [[0, "async"], [3, "hybrid"]],
]


def facts(site: sites.Site, view: str, stack: list[Any], steps: list[str]) -> dict[str, Any]:
    request = {"visitor": 1, "view": view, "method": "GET", "steps": steps, "raise": None}
    # Threads of tasks that outlived their request end when those are freed: not waited for here.
    noted = site.ask({"stack": stack, "requests": [request], "patience_s": 0})
    assert noted["statuses"] == {"200": 1}
    found: dict[str, Any] = noted["facts"]
    return found


@pytest.mark.parametrize("stack", STACKS)
def test_children_of_a_gather_find_what_they_find_in_stock(
    stock: sites.Site, relief: sites.Site, stack: list[Any]
) -> None:
    """They share the request's thread; what they change is theirs."""
    found = facts(relief, "gathers", stack, [])

    assert found == facts(stock, "gathers", stack, [])
    children = found["gather"]["children"]
    assert [child["after"]["Local"] for child in children] == ["child 0", "child 1", "child 2"]
    assert found["gather"]["parent"]["language"] == "de"


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("steps", [[], ["hop"]], ids=["no thread before", "a thread before"])
def test_a_task_that_outlives_its_request_finds_what_it_finds_in_stock(
    stock: sites.Site, relief: sites.Site, stack: list[Any], steps: list[str]
) -> None:
    """It keeps its context, loses the thread, and gets another."""
    found = facts(relief, "outlived", stack, steps)

    assert found == facts(stock, "outlived", stack, steps)
    assert found["first"]["sees"]["contextvar"] == "request"
    assert not found["first"]["the request's thread"]


@pytest.mark.parametrize("stack", STACKS)
def test_other_threads_find_what_they_find_in_stock(
    stock: sites.Site, relief: sites.Site, stack: list[Any]
) -> None:
    """What is local to a request is not seen in a thread that it merely starts."""
    found = facts(relief, "elsewhere", stack, [])

    assert found == facts(stock, "elsewhere", stack, [])
    assert found["elsewhere"]["thread"]["contextvar"] == "unset"
    assert found["elsewhere"]["task"]["contextvar"] == "request"
