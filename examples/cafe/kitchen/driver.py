"""psycopg's asynchronous pool, beside the ORM: PostgreSQL without a thread."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from kitchen.clients import Close, shared

if TYPE_CHECKING:
    from psycopg import AsyncConnection

DEFAULT_POOL = 20


def available() -> bool:
    """Tell whether there is a PostgreSQL to talk to."""
    return bool(settings.CAFE_DATABASE_URL)


@asynccontextmanager
async def connection(request: HttpRequest) -> AsyncIterator[AsyncConnection[Any]]:
    """Lend a connection: from the loop's pool under ASGI, a new one under WSGI."""
    from psycopg import AsyncConnection
    from psycopg_pool import AsyncConnectionPool

    address = settings.CAFE_DATABASE_URL
    if not isinstance(request, ASGIRequest):
        async with await AsyncConnection.connect(address) as alone:
            yield alone
        return

    def make() -> tuple[AsyncConnectionPool[Any], Close]:
        size = int(os.environ.get("CAFE_POOL") or DEFAULT_POOL)
        pool = AsyncConnectionPool(address, min_size=1, max_size=size, open=False)
        return pool, pool.close

    async with shared(request, "psycopg", make) as pool:
        # Opening an open pool does nothing, and it returns before connections are there.
        await pool.open()
        async with pool.connection() as lent:
            yield lent
