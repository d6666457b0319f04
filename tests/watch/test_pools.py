"""Requests that wait for a connection, on a real pool of a real PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import psycopg_pool
import pytest

from freeloop import watch
from freeloop.watch.stretch import Cause, Stretch
from freeloop.watch.watchdog import watchdog
from tests.relief.isolation.databases import postgres

pytestmark = [pytest.mark.real, pytest.mark.needs("postgresql", "psycopg-pool")]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The address of a PostgreSQL."""
    with postgres() as address:
        yield address


def ask_twice(application: Any) -> None:
    """Send two requests at once, and stay until the watchdog has looked."""

    async def main() -> None:
        scope = {"type": "http", "path": "/report/"}
        await asyncio.gather(*(application(dict(scope), None, None) for _ in range(2)))
        await asyncio.sleep(0.15)
        await asyncio.to_thread(watchdog.stop)

    asyncio.run(main())


@pytest.mark.parametrize(("size", "waits"), [(1, True), (2, False)])
def test_a_thread_that_waits_for_a_connection_is_named(
    database: str, seen: list[Stretch], size: int, waits: bool
) -> None:
    with psycopg_pool.ConnectionPool(database, min_size=size, max_size=size) as pool:
        pool.wait()

        def query() -> None:
            with pool.connection() as connection:
                connection.execute("SELECT pg_sleep(0.4)")

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.to_thread(query)

        ask_twice(watch.asgi(application, on_report=seen.append))

    found = [each for each in seen if each.cause is Cause.POOL_WAIT]
    assert len(found) == waits
    if waits:
        assert found[0].path == "/report/"
        assert (found[0].line or ("", 0, ""))[2] == "query"
        assert found[0].ms > 200


def test_a_coroutine_that_waits_for_a_connection_is_named(
    database: str, seen: list[Stretch]
) -> None:
    pools: list[psycopg_pool.AsyncConnectionPool] = []

    async def report(scope: Any, receive: Any, send: Any) -> None:
        async with pools[0].connection() as connection:
            await connection.execute("SELECT pg_sleep(0.4)")

    application = watch.asgi(report, on_report=seen.append)

    async def main() -> None:
        pools.append(psycopg_pool.AsyncConnectionPool(database, max_size=1, min_size=1, open=False))
        await pools[0].open(wait=True)
        scope = {"type": "http", "path": "/report/"}
        tasks = [asyncio.create_task(application(dict(scope), None, None)) for _ in range(2)]
        await asyncio.wait(tasks)
        await pools[0].close()
        await asyncio.sleep(0.15)
        await asyncio.to_thread(watchdog.stop)

    started = time.perf_counter()
    asyncio.run(main())

    assert time.perf_counter() - started > 0.8
    found = [each for each in seen if each.cause is Cause.POOL_WAIT]
    assert [(each.path, (each.line or ("", 0, ""))[2]) for each in found] == [
        ("/report/", "report")
    ]
