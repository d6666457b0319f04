"""How many database connections are open: the agent's count.

This file stands alone (standard library and Django only): `agent.py` loads it by path.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
import weakref
from typing import Any


class Connections:
    """Counts the connections of Django and of psycopg's pools.

    A pooled connection counts as held while it is checked out, another one while it is open; as
    opened counts what was made anew. A connection that nobody closes counts until it is collected.
    """

    def __init__(self) -> None:
        # Re-entrant: the collector may close a connection while a count is under way.
        self._lock = threading.RLock()
        self._held: weakref.WeakSet[Any] = weakref.WeakSet()
        self._pool_limits: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self.reset()

    def reset(self) -> None:
        """Forget what was counted; what is held now is where the next count starts."""
        with self._lock:
            self._opened = 0
            self._most_held = len(self._held)

    def report(self) -> dict[str, Any]:
        """Return most held, opened, and the limit of the pools."""
        return {
            "connections_held": self._most_held,
            "connections_opened": self._opened,
            "pool_max": self._pool_max(),
        }

    def held_now(self) -> int:
        """Return how many are held at this moment."""
        return len(self._held)

    def take(self, connection: object) -> None:
        """Count a connection that is now in use."""
        with self._lock:
            self._held.add(connection)
            self._most_held = max(self._most_held, len(self._held))

    def give_back(self, connection: object) -> None:
        """Count a connection out."""
        with self._lock:
            self._held.discard(connection)

    def opened(self) -> None:
        """Count a connection that was made anew."""
        with self._lock:
            self._opened += 1

    def install(self) -> None:
        """Count from now on what Django and psycopg do in this process."""
        self._count_django()
        # Imported now, not when the project does: a view may import it in its first request.
        with contextlib.suppress(ImportError):
            self._count_psycopg()

    def _pool_max(self) -> int | None:
        """Return the limit of the pools in use, else of those in the settings, added up."""
        from django.conf import settings

        limits = list(self._pool_limits.values())
        if not limits:
            for database in settings.DATABASES.values():
                pool = database.get("OPTIONS", {}).get("pool")
                if pool:
                    options = pool if isinstance(pool, dict) else {}
                    # psycopg_pool: 4 connections unless told, and no growth without max_size.
                    limits.append(options.get("max_size") or options.get("min_size", 4))
        return sum(limits) if limits else None

    def _count_django(self) -> None:
        from django.db.backends.base import base

        kind: Any = base.BaseDatabaseWrapper
        connect, close = kind.connect, kind.close

        @functools.wraps(connect)
        def connect_counted(wrapper: Any) -> None:
            connect(wrapper)
            if wrapper.connection is not None and not _psycopg_pooled(wrapper):
                self.opened()
                self.take(wrapper)

        @functools.wraps(close)
        def close_counted(wrapper: Any) -> None:
            close(wrapper)
            if wrapper.connection is None or wrapper.closed_in_transaction:
                self.give_back(wrapper)

        kind.connect, kind.close = connect_counted, close_counted

    def _count_psycopg(self) -> None:
        import psycopg
        import psycopg_pool

        for pool in (psycopg_pool.ConnectionPool, psycopg_pool.AsyncConnectionPool):
            self._count_checkouts(pool)
        for kind in (psycopg.Connection, psycopg.AsyncConnection):
            # Pools open through the class; Django, without a pool, through a function bound before.
            self._count_opening(kind)

    def _count_checkouts(self, kind: Any) -> None:
        getconn, putconn = kind.getconn, kind.putconn

        def taken(pool: Any, connection: Any) -> Any:
            self._pool_limits[pool] = pool.max_size
            self.take(connection)
            return connection

        async def getconn_async(pool: Any, *args: Any, **options: Any) -> Any:
            return taken(pool, await getconn(pool, *args, **options))

        async def putconn_async(pool: Any, connection: Any) -> None:
            self.give_back(connection)
            await putconn(pool, connection)

        def getconn_sync(pool: Any, *args: Any, **options: Any) -> Any:
            return taken(pool, getconn(pool, *args, **options))

        def putconn_sync(pool: Any, connection: Any) -> None:
            self.give_back(connection)
            putconn(pool, connection)

        waits = inspect.iscoroutinefunction(getconn)
        kind.getconn = functools.wraps(getconn)(getconn_async if waits else getconn_sync)
        kind.putconn = functools.wraps(putconn)(putconn_async if waits else putconn_sync)

    def _count_opening(self, kind: Any) -> None:
        connect = kind.connect.__func__

        def connect_counted(cls: Any, *args: Any, **options: Any) -> Any:
            self.opened()
            return connect(cls, *args, **options)

        kind.connect = classmethod(functools.wraps(connect)(connect_counted))


def _psycopg_pooled(wrapper: Any) -> bool:
    return wrapper.vendor == "postgresql" and bool(getattr(wrapper, "pool", None))
