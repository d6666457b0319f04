"""HTTP clients: one of each kind per process or event loop, made when first needed.

An asynchronous client belongs to the event loop that it was made on. Under ASGI one loop serves
every request, so its client is shared, and closed by `kitchen.lifespan`. Under WSGI each async
view has a loop of its own for one request, so there is nothing to share: the client lives as long
as the request.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import aiohttp
import httpx
import requests
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from requests.adapters import HTTPAdapter

# Above the concurrency of any plan here: what is compared is the client, never its pool limit.
MOST_CONNECTIONS = 1000

Close = Callable[[], Awaitable[object]]

_kept: dict[tuple[asyncio.AbstractEventLoop, str], tuple[Any, Close]] = {}


def supplier(ms: int) -> str:
    """Return the address of a delivery that takes `ms` milliseconds."""
    return f"{settings.CAFE_UPSTREAM.rstrip('/')}/wait?ms={ms}"


@cache
def requests_session() -> requests.Session:
    """Return the process's requests session; its connection pool may be used by all threads."""
    session = requests.Session()
    # The supplier is on this machine: a proxy named in the environment must not see it.
    session.trust_env = False
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=MOST_CONNECTIONS)
    session.mount("http://", adapter)
    return session


@cache
def httpx_client() -> httpx.Client:
    """Return the process's synchronous httpx client."""
    return httpx.Client(trust_env=False, limits=_limits())


@asynccontextmanager
async def aiohttp_session(request: HttpRequest) -> AsyncIterator[aiohttp.ClientSession]:
    """Lend the event loop's aiohttp session."""

    def make() -> tuple[aiohttp.ClientSession, Close]:
        connector = aiohttp.TCPConnector(limit=MOST_CONNECTIONS)
        session = aiohttp.ClientSession(connector=connector)
        return session, session.close

    async with shared(request, "aiohttp", make) as session:
        yield session


@asynccontextmanager
async def httpx_async_client(request: HttpRequest) -> AsyncIterator[httpx.AsyncClient]:
    """Lend the event loop's httpx client."""

    def make() -> tuple[httpx.AsyncClient, Close]:
        client = new_httpx_async_client()
        return client, client.aclose

    async with shared(request, "httpx", make) as client:
        yield client


def new_httpx_async_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, limits=_limits())


@asynccontextmanager
async def shared[T](
    request: HttpRequest, kind: str, make: Callable[[], tuple[T, Close]]
) -> AsyncIterator[T]:
    """Lend what `make` gives: kept for the loop under ASGI, for the request under WSGI."""
    if not isinstance(request, ASGIRequest):
        made, close = make()
        try:
            yield made
        finally:
            await close()
        return
    key = (asyncio.get_running_loop(), kind)
    if key not in _kept:
        _forget_closed_loops()
        _kept[key] = make()
    yield _kept[key][0]


async def close_all() -> None:
    """Close everything that was kept for the running loop."""
    loop = asyncio.get_running_loop()
    for key in [key for key in _kept if key[0] is loop]:
        _, close = _kept.pop(key)
        await close()


def _forget_closed_loops() -> None:
    # Test clients and consoles run many short loops; theirs cannot be closed any more.
    for key in [key for key in _kept if key[0].is_closed()]:
        del _kept[key]


def _limits() -> httpx.Limits:
    return httpx.Limits(
        max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS
    )
