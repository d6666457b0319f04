"""A loop that works: while it beats the watchdog sleeps, and still comes when it is held."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import pytest

from freeloop import watch
from freeloop.watch.alarm import FileAlarm, new_alarm
from freeloop.watch.beat import Beat
from freeloop.watch.lookout import Lookout
from freeloop.watch.stretch import Cause, Stretch
from freeloop.watch.watchdog import watchdog
from tests.watch.test_watching import scope

MS = 1_000_000
SLICES, SLICE_S = 6, 0.25
BLOCKS = 8
BLOCK_S = 0.03


@pytest.fixture
def alarm() -> FileAlarm:
    """CPython can make timers from 3.13 on, on Linux: without them no loop beats."""
    found = new_alarm()
    if not isinstance(found, FileAlarm):
        assert not hasattr(os, "timerfd_create")
        pytest.skip("this Python cannot make timers")
    return found


async def turns(seconds: float) -> int:
    """Let the loop turn without a pause; return how often."""
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(0)
        count += 1
    return count


def held() -> None:
    time.sleep(BLOCK_S)


def test_it_is_fresh_until_it_rests(alarm: FileAlarm) -> None:
    """Before the first one nothing would wake anybody: the loop may be held already."""
    notes: list[int] = []
    beat = Beat(alarm.timer(), lambda: notes.append(1), 20 * MS)
    now_s = time.perf_counter()
    assert beat.due[0] <= now_s
    assert not beat.is_fresh()

    beat.give(now_s)
    assert beat.is_fresh()
    assert beat.due[0] == pytest.approx(now_s + 0.01)
    assert notes == [1]

    beat.rest()
    assert beat.due[0] <= time.perf_counter()
    due_ns = time.perf_counter_ns() + 40 * MS
    assert alarm.wait(due_ns) == (due_ns, False)


def test_a_missed_one_wakes_at_the_time_it_was_missed(alarm: FileAlarm) -> None:
    beat = Beat(alarm.timer(), lambda: None, 20 * MS)
    beat.give(time.perf_counter())
    given_ns = time.perf_counter_ns()

    due_ns, rung = alarm.wait(given_ns + 10_000 * MS)

    assert not rung
    assert due_ns <= given_ns + 20 * MS
    assert not beat.is_fresh()


def test_without_a_timer_nobody_may_sleep() -> None:
    beat = Beat(None, lambda: None, 20 * MS)

    beat.give(time.perf_counter())

    assert not beat.is_fresh()


def test_a_loop_that_works_is_rarely_looked_at_and_its_blocks_are_seen(
    alarm: FileAlarm, seen: list[Stretch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ticks of ten milliseconds would look a hundred times a second.

    Where the host keeps the loop from its core, beats are missed: the calmest part counts.
    """
    slices: list[int] = []
    looks: list[float] = []
    look = Lookout.look

    def counting(self: Lookout, *arguments: Any, **named: Any) -> None:
        looks.append(time.monotonic())
        look(self, *arguments, **named)

    monkeypatch.setattr(Lookout, "look", counting)

    async def works(scope: Any, receive: Any, send: Any) -> None:
        await turns(SLICE_S)
        for _ in range(SLICES):
            looks.clear()
            await turns(SLICE_S)
            slices.append(len(looks))
        for _ in range(BLOCKS):
            await turns(0.06)
            held()

    application = watch.asgi(works, on_report=seen.append)

    async def main() -> None:
        await application(scope(), None, None)
        await asyncio.to_thread(watchdog.stop)

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(main())

    assert min(slices) <= 40 * SLICE_S
    found = [each for each in seen if each.line and each.line[2] == "held"]
    # Where the host gives the watchdog no core for 30 ms, a block leaves its length alone.
    assert BLOCKS // 2 <= len(found) <= BLOCKS, [(each.cause, each.ms) for each in seen]
    # Nor does it say so when the machine below it was given no core: that looks like a held lock.
    causes = [each.cause for each in found]
    assert causes.count(Cause.WAIT) + causes.count(Cause.STARVED) >= len(causes) - 1
    assert Cause.WAIT in causes
