"""A loop with nothing to do: the watchdog sleeps, and still sees the first thing that holds it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from freeloop import watch
from freeloop.watch import watchdog as watchdog_module
from freeloop.watch.alarm import Alarm, FileAlarm, new_alarm
from freeloop.watch.stretch import Stretch
from freeloop.watch.watchdog import watchdog
from tests.watch.test_watching import on_both_loops, scope

TICK_S = 0.1
BLOCKS = 6
BLOCK_S = 0.035


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """Answer."""


def first_block() -> None:
    time.sleep(BLOCK_S)


async def ask(application: Any) -> None:
    """Ask in a task of its own, as a server does: its context is the request's alone."""

    async def serve() -> None:
        await application(scope(), None, None)

    await asyncio.create_task(serve())


async def ticks(count: int) -> None:
    """Wake the loop as uvicorn does, for nothing."""
    for _ in range(count):
        await asyncio.sleep(TICK_S)


@pytest.fixture(params=[Alarm, new_alarm], ids=["without timers", "with timers, if any"])
def alarm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Alarm:
    """What wakes the watchdog: without timers, as on Python 3.12, and with them."""
    found: Alarm = request.param()
    monkeypatch.setattr(watchdog_module, "new_alarm", lambda: found)
    monkeypatch.setattr(watchdog, "_alarm", Alarm())
    return found


@on_both_loops
def test_the_first_block_after_idling_is_found_with_its_line(
    new_loop: Any, alarm: Alarm, seen: list[Stretch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task of the project's own wakes up now and then: no request tells the watchdog."""
    monkeypatch.setattr(watchdog_module, "_LATER_NS", 0)
    application = watch.asgi(nothing, on_report=seen.append)

    async def main() -> None:
        await ask(application)
        for _ in range(BLOCKS):
            await asyncio.gather(ticks(7), asyncio.sleep(0.73))
            first_block()
        await ticks(1)
        await asyncio.to_thread(watchdog.stop)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())

    # The host's share of it may be the greater one: then it is named all the same.
    found = [each for each in seen if each.line and each.line[2] == "first_block"]
    assert len(found) >= BLOCKS - 1, [(each.cause, each.ms, each.frames) for each in seen]
    assert len(found) <= BLOCKS


@on_both_loops
def test_an_idle_loop_is_rarely_looked_at_and_rarely_woken_for(
    new_loop: Any, alarm: Alarm, seen: list[Stretch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the machine does: what is counted is how often the watchdog's thread ran.

    Where the loop can set a timer and take it back, its turns wake nobody.
    """
    monkeypatch.setattr(watchdog_module, "_LATER_NS", 0)
    application = watch.asgi(nothing, on_report=seen.append)
    rounds: list[float] = []
    wait = alarm.wait

    def counting(due_ns: int, least_ns: int = 0) -> tuple[int, bool]:
        rounds.append(time.monotonic())
        return wait(due_ns, least_ns)

    monkeypatch.setattr(alarm, "wait", counting)

    async def main() -> float:
        await ask(application)
        await ticks(5)
        rounds.clear()
        started = time.monotonic()
        await ticks(20)
        return time.monotonic() - started

    with asyncio.Runner(loop_factory=new_loop) as runner:
        seconds = runner.run(main())

    assert len(rounds) <= (5 if isinstance(alarm, FileAlarm) else 18) * seconds


def test_no_trace_of_the_tripwire_is_left(seen: list[Stretch]) -> None:
    """And while the loop works, nothing stands in the way of its callbacks."""
    uvloop = pytest.importorskip("uvloop")
    found: list[bool] = []

    async def works(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
            found.append("call_soon" in vars(asyncio.get_running_loop()))

    application = watch.asgi(works, on_report=seen.append)

    async def main() -> None:
        for _ in range(4):
            await ticks(2)
            await ask(application)
        await asyncio.to_thread(watchdog.stop)
        found.append("call_soon" in vars(asyncio.get_running_loop()))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())

    assert found == [False] * 13


def test_whoever_put_theirs_over_the_tripwire_keeps_it(seen: list[Stretch]) -> None:
    """As aiocop does: it is called for every callback, and ours does no harm below it."""
    uvloop = pytest.importorskip("uvloop")
    calls: list[Any] = []
    application = watch.asgi(nothing, on_report=seen.append)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        await ask(application)
        await asyncio.sleep(0.3)
        below = loop.call_soon

        def counting(*arguments: Any, **named: Any) -> Any:
            calls.append(arguments)
            return below(*arguments, **named)

        loop.call_soon = counting  # type: ignore[method-assign,assignment]
        await ticks(3)
        await asyncio.to_thread(watchdog.stop)
        assert vars(loop)["call_soon"] is counting
        before = len(calls)
        await ticks(2)
        assert len(calls) >= before + 2

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
