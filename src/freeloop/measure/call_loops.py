"""CPU of one call of each installed client, by itself; runs in the project's interpreter.

This file stands alone (standard library, and what it measures): `call_cost.py` starts it by path,
with the numbers of the cores that it is held to. It prints JSON: client to CPU milliseconds with 8
calls in flight, and with 32.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from typing import Any

IN_FLIGHT = (8, 32)
SECONDS = 0.25
# Calls last as long as a near service takes, so that those in flight really are at once.
ANSWER_S = 0.005
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
GATHERED = 10


def main(cores: list[int]) -> None:
    """Measure each client that imports."""
    if cores:
        os.sched_setaffinity(0, cores)
    with suppress(ImportError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    upstream = subprocess.Popen(
        [sys.executable, __file__, "upstream"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert upstream.stdout is not None
    assert upstream.stdin is not None
    try:
        url = f"http://127.0.0.1:{int(upstream.stdout.readline())}/"
        print(json.dumps(dict(costs(url))))  # noqa: T201 - its answer
    finally:
        upstream.stdin.close()
        upstream.wait(10)


def costs(url: str) -> list[tuple[str, list[float]]]:
    """Return name and CPU per call of all that import."""
    found = []
    for name, loop in (("aiohttp", with_aiohttp), ("httpx.AsyncClient", with_async_httpx)):
        with suppress(ImportError):
            found.append((name, [asyncio.run(loop(url, number)) for number in IN_FLIGHT]))
    for name, make in (("requests", requests_get), ("httpx.Client", httpx_get)):
        with suppress(ImportError):
            found.append((name, [in_threads(make(url), number) for number in IN_FLIGHT]))
    with suppress(ImportError):
        found.append(("hop", [asyncio.run(hops(number)) for number in IN_FLIGHT]))
    found.append(("task", [asyncio.run(tasks(number)) for number in IN_FLIGHT]))
    return found


async def with_aiohttp(url: str, number: int) -> float:
    """Calls on one session."""
    import aiohttp

    async with aiohttp.ClientSession() as session:

        async def call() -> None:
            async with session.get(url) as answer:
                await answer.json()

        return await on_loop(call, number)


async def with_async_httpx(url: str, number: int) -> float:
    """Calls of one client."""
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:

        async def call() -> None:
            (await client.get(url)).json()

        return await on_loop(call, number)


def requests_get(url: str) -> Callable[[], Any]:
    """Return a call on one session of many connections."""
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_maxsize=max(IN_FLIGHT)))
    return lambda: session.get(url).json()


def httpx_get(url: str) -> Callable[[], Any]:
    """Return a call of one client."""
    import httpx

    client = httpx.Client(trust_env=False)
    return lambda: client.get(url).json()


async def hops(number: int) -> float:
    """Calls to the thread of a request, as Django makes them."""
    from asgiref.sync import ThreadSensitiveContext, sync_to_async

    return await on_loop(sync_to_async(int), number, ThreadSensitiveContext)


async def tasks(number: int) -> float:
    """Tasks that are gathered."""

    async def call() -> None:
        await asyncio.gather(*(asyncio.sleep(0) for _ in range(GATHERED)))

    return await on_loop(call, number) / GATHERED


async def on_loop(
    call: Callable[[], Awaitable[Any]],
    number: int,
    context: Callable[[], AbstractAsyncContextManager[Any]] = nullcontext,
) -> float:
    """Return the CPU milliseconds per call with so many in flight, each in a context of its own."""
    done = 0
    async with context():
        await call()  # imports what it needs: half a second for some clients
    end_s = time.monotonic() + SECONDS

    async def again() -> None:
        nonlocal done
        async with context():
            while time.monotonic() < end_s:
                await call()
                done += 1

    before_ns = time.process_time_ns()
    async with asyncio.TaskGroup() as group:
        for _ in range(number):
            group.create_task(again())
    return (time.process_time_ns() - before_ns) / 1e6 / max(1, done)


def in_threads(call: Callable[[], Any], number: int) -> float:
    """Return the CPU milliseconds per call with so many threads calling."""
    call()
    end_s = time.monotonic() + SECONDS

    def again(_number: int) -> int:
        done = 0
        while time.monotonic() < end_s:
            call()
            done += 1
        return done

    before_ns = time.process_time_ns()
    with ThreadPoolExecutor(number) as pool:
        done = sum(pool.map(again, range(number)))
    return (time.process_time_ns() - before_ns) / 1e6 / max(1, done)


def upstream() -> None:
    """Answer every request after `ANSWER_S`, until standard input ends."""

    class Service(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            if data.endswith(b"\r\n\r\n"):
                asyncio.get_running_loop().call_later(ANSWER_S, self.answer)

        def answer(self) -> None:
            if not self.transport.is_closing():
                self.transport.write(ANSWER)  # type: ignore[attr-defined]

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Service, "127.0.0.1", 0)
        over = asyncio.Event()

        def watch() -> None:
            sys.stdin.read()
            loop.call_soon_threadsafe(over.set)

        threading.Thread(target=watch, daemon=True).start()
        print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - its answer
        await over.wait()

    asyncio.run(serve())


if __name__ == "__main__":
    upstream() if sys.argv[1:] == ["upstream"] else main([int(core) for core in sys.argv[1:]])
