"""The site that gives connections back, on uvicorn, and many clients of it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

from tests.examples.cafe import free_port
from tests.relief.isolation.databases import connected
from tests.relief.isolation.sites import environment

PATIENCE_S = 60.0
GUEST = "guest"
# What max_connections = 100 leaves to all but superusers.
MOST_CONNECTIONS = 97


@dataclass(frozen=True, slots=True)
class Served:
    """A site that answers.

    Attributes:
        base: Its address.
    """

    base: str

    def ask(self, path: str) -> dict[str, Any]:
        """Return the facts that a view found."""
        answer = httpx.get(self.base + path, timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text[:3000]
        facts: dict[str, Any] = answer.json()
        return facts

    def status(self, path: str) -> int:
        """Return the status of an answer."""
        return httpx.get(self.base + path, timeout=PATIENCE_S).status_code


@contextmanager
def serving(database: str, application: str = "relieved", **more: str) -> Iterator[Served]:
    """Run the site on uvicorn; the application is one of `applications.py`."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "--log-level=critical", f"--port={port}"),
            *(
                "--timeout-graceful-shutdown=1",
                f"tests.relief.releasing.applications:{application}",
            ),
        ],
        env=environment(database, ISOLATION_URLCONF="tests.relief.releasing.urls", **more),
    )
    served = Served(f"http://127.0.0.1:{port}")
    try:
        _until_answering(served, process)
        yield served
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def guest(database: str) -> str:
    """Return the address for a role that gets no more connections than Django's users do."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"DROP ROLE IF EXISTS {GUEST}")
        connection.execute(f"CREATE ROLE {GUEST} LOGIN CONNECTION LIMIT {MOST_CONNECTIONS}")
    start, _, user = database.rpartition("user=")
    return f"{start}user={GUEST}{user.partition('&')[1]}{user.partition('&')[2]}"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many requests at once.

    Attributes:
        statuses: How often each came.
        seconds: From the first question to the last answer.
        most_connections: Highest number of sessions in the database that was seen meanwhile.
    """

    statuses: dict[int, int]
    seconds: float
    most_connections: int


def crowd(served: Served, path: str, count: int, database: str) -> Crowd:
    """Ask so many times at once."""

    async def ask_all() -> tuple[Counter[int], float, int]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=PATIENCE_S, limits=limits) as client:
            started = time.perf_counter()
            asked = [asyncio.create_task(client.get(served.base + path)) for _ in range(count)]
            seen = [0]
            watching = asyncio.create_task(_watch(database, seen))
            answers = await asyncio.gather(*asked)
            seconds = time.perf_counter() - started
            watching.cancel()
        return Counter(answer.status_code for answer in answers), seconds, max(seen)

    statuses, seconds, most = asyncio.run(ask_all())
    return Crowd(dict(statuses), seconds, most)


def held_by_streams(served: Served, path: str, count: int, database: str) -> int:
    """Open so many streams, read the first event of each, and count the connections."""

    async def open_all() -> int:
        limits = httpx.Limits(max_connections=None)
        async with (
            httpx.AsyncClient(timeout=PATIENCE_S, limits=limits) as client,
            AsyncExitStack() as stack,
        ):
            # An iterator that nobody holds closes its stream.
            held = []
            for _ in range(count):
                response = await stack.enter_async_context(client.stream("GET", served.base + path))
                assert response.status_code == 200
                held.append(response.aiter_raw())
                assert await anext(held[-1])
            return await asyncio.to_thread(connected, database)

    return asyncio.run(open_all())


async def _watch(database: str, seen: list[int]) -> None:
    while True:
        seen.append(await asyncio.to_thread(connected, database))
        await asyncio.sleep(0.05)


def _until_answering(served: Served, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            served.status("/untouched/")
        except httpx.TransportError:
            assert process.poll() is None, f"uvicorn ended with {process.returncode}"
            assert time.monotonic() < deadline, "uvicorn does not answer"
            time.sleep(0.05)
        else:
            return
