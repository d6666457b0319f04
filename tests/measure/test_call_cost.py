"""What calls of the installed clients cost, measured for real."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from freeloop.measure.call_cost import call_costs
from freeloop.measure.call_loops import SECONDS, on_loop

pytestmark = [pytest.mark.real, pytest.mark.alone, pytest.mark.needs("linux")]


def test_every_installed_client_has_a_cost_at_8_and_at_32() -> None:
    """Orders only: httpx takes several times the CPU of aiohttp, a task next to nothing."""
    found = call_costs(sys.executable, cores=())

    assert set(found) == {"aiohttp", "httpx.AsyncClient", "requests", "httpx.Client", "hop", "task"}
    assert all(cost > 0 for both in found.values() for cost in both)
    assert found["task"][0] < found["hop"][0] < found["requests"][0]
    assert found["aiohttp"][1] < found["httpx.AsyncClient"][1]


def test_a_first_call_that_takes_long_takes_nothing_from_the_rest() -> None:
    """Some clients import half of themselves in their first call."""
    late = 2 * SECONDS

    async def call() -> None:
        nonlocal late
        await asyncio.sleep(late)
        late = 0.0
        end_s = time.thread_time() + 0.001
        while time.thread_time() < end_s:
            pass

    assert asyncio.run(on_loop(call, 8)) > 0.9


def test_an_interpreter_that_does_not_run_gives_no_cost() -> None:
    """A prediction goes on without: its remarks say that the cost is not known."""
    assert call_costs("/no/such/python", cores=()) == {}
