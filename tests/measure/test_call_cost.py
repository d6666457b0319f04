"""What calls of the installed clients cost, measured for real."""

from __future__ import annotations

import sys

import pytest

from freeloop.measure.call_cost import call_costs

pytestmark = [pytest.mark.real, pytest.mark.alone, pytest.mark.needs("linux")]


def test_every_installed_client_has_a_cost_at_8_and_at_32() -> None:
    """Orders only: httpx takes several times the CPU of aiohttp, a task next to nothing."""
    found = call_costs(sys.executable, cores=())

    assert set(found) == {"aiohttp", "httpx.AsyncClient", "requests", "httpx.Client", "hop", "task"}
    assert all(cost > 0 for both in found.values() for cost in both)
    assert found["task"][0] < found["hop"][0] < found["requests"][0]
    assert found["aiohttp"][1] < found["httpx.AsyncClient"][1]


def test_an_interpreter_that_does_not_run_gives_no_cost() -> None:
    """A prediction goes on without: its remarks say that the cost is not known."""
    assert call_costs("/no/such/python", cores=()) == {}
