"""A host with more to do than cores: its delays are nobody's code."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from freeloop import watch
from freeloop.watch.stretch import Kind, Stretch
from freeloop.watch.watchdog import watchdog

pytestmark = [pytest.mark.real, pytest.mark.alone, pytest.mark.needs("linux")]

REQUESTS = 25


@pytest.fixture
def _busy() -> Iterator[None]:
    """Keep every core busy, three times over."""
    burners = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(3 * (os.cpu_count() or 1))
    ]
    time.sleep(0.3)
    try:
        yield
    finally:
        for each in burners:
            each.kill()
        for each in burners:
            each.wait()


def burn(cpu_s: float) -> None:
    until = time.thread_time() + cpu_s
    while time.thread_time() < until:
        sum(range(100))


@pytest.mark.usefixtures("_busy")
def test_short_work_on_a_busy_host_blames_nobody(seen: list[Stretch]) -> None:
    """Eight milliseconds of work take several times as long there."""
    walls = []

    async def works(scope: Any, receive: Any, send: Any) -> None:
        started = time.perf_counter()
        burn(0.008)
        walls.append(time.perf_counter() - started)

    application = watch.asgi(works, on_report=seen.append)

    async def main() -> None:
        for _ in range(REQUESTS):
            await asyncio.create_task(application({"type": "http", "path": "/"}, None, None))
            await asyncio.sleep(0.01)
        await asyncio.to_thread(watchdog.stop)

    asyncio.run(main())

    # Nothing would be shown if the host had had time for us.
    assert sum(each > 0.02 for each in walls) >= 3
    blamed = [each for each in seen if each.kind is Kind.BLOCK]
    assert len(blamed) <= 1
    assert [each for each in seen if each.kind is Kind.HOST]


@pytest.mark.usefixtures("_busy")
def test_a_new_thread_that_the_host_keeps_waiting_is_nobodys_block(seen: list[Stretch]) -> None:
    """The loop waits in `Thread.start` until the new thread has had a core."""
    walls = []
    done = threading.Event()

    async def starts(scope: Any, receive: Any, send: Any) -> None:
        started = time.perf_counter()
        for _ in range(16):
            threading.Thread(target=done.wait, daemon=True).start()
        walls.append(time.perf_counter() - started)

    application = watch.asgi(starts, on_report=seen.append)

    async def main() -> None:
        for _ in range(REQUESTS):
            await asyncio.create_task(application({"type": "http", "path": "/"}, None, None))
            await asyncio.sleep(0.01)
        await asyncio.to_thread(watchdog.stop)

    try:
        asyncio.run(main())
    finally:
        done.set()

    assert sum(each > 0.02 for each in walls) >= 3
    assert len([each for each in seen if each.kind is Kind.BLOCK]) <= 2, seen


@pytest.mark.usefixtures("_busy")
def test_a_thread_that_the_host_keeps_waiting_with_the_interpreter_lock_is_nobodys_block(
    seen: list[Stretch],
) -> None:
    """The loop waits for the lock, its holder for a core: neither holds the loop."""
    walls = []
    done = threading.Event()
    number = 7**80_000

    def holds() -> None:
        here = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, here, os.getpriority(os.PRIO_PROCESS, here) + 10)
        while not done.is_set():
            started = time.perf_counter()
            pow(3, 150_003, number)
            walls.append(time.perf_counter() - started)
            done.wait(0.03)

    async def works(scope: Any, receive: Any, send: Any) -> None:
        burn(0.004)

    application = watch.asgi(works, on_report=seen.append)

    async def main() -> None:
        holder = threading.Thread(target=holds)
        holder.start()
        for _ in range(REQUESTS):
            await asyncio.create_task(application({"type": "http", "path": "/"}, None, None))
            await asyncio.sleep(0.01)
        done.set()
        await asyncio.to_thread(holder.join)
        await asyncio.to_thread(watchdog.stop)

    asyncio.run(main())

    assert sum(each > 0.04 for each in walls) >= 2
    assert len([each for each in seen if each.kind is Kind.BLOCK]) <= 2, seen


@pytest.mark.usefixtures("_busy")
def test_a_block_on_a_busy_host_is_still_found(seen: list[Stretch]) -> None:
    async def blocks(scope: Any, receive: Any, send: Any) -> None:
        time.sleep(0.1)

    application = watch.asgi(blocks, on_report=seen.append)

    async def main() -> None:
        for _ in range(10):
            await asyncio.create_task(application({"type": "http", "path": "/"}, None, None))
            await asyncio.sleep(0.02)
        await asyncio.to_thread(watchdog.stop)

    asyncio.run(main())

    found = [each for each in seen if each.kind is Kind.BLOCK and each.line is not None]
    assert len(found) >= 8
