"""Requests that wait for a database connection, because the pool has none left."""

from __future__ import annotations

import sys
from types import FrameType

from freeloop.watch.hidden.episode import Episode
from freeloop.watch.hidden.queues import origin_of_thread
from freeloop.watch.loops import WatchedLoop
from freeloop.watch.origin import Origin, in_flight
from freeloop.watch.stacks import frames_of, stack_of, suspended
from freeloop.watch.stretch import Cause, Frame
from freeloop.watch.threads import waits

# Files in which a thread or a coroutine stands while it waits for a connection.
_POOLS = ("psycopg_pool/", "psycopg_pool\\", "sqlalchemy/pool/", "asyncpg/pool.py", "oracledb/pool")
_MODULES = ("psycopg_pool", "sqlalchemy.pool", "asyncpg.pool", "oracledb.pool")
_CALLS = frozenset({"getconn", "acquire", "_acquire", "connect", "_do_get", "connection"})
_NEAR = 8
# Coroutines are looked at one by one.
_MOST_REQUESTS = 200


class PoolWaits:
    """All waits together are one episode: they are for the same reason."""

    def __init__(self) -> None:
        self._episode: Episode | None = None

    @property
    def follows(self) -> bool:
        """Whether somebody waits."""
        return self._episode is not None

    def look(self, _loops: list[WatchedLoop], frames: dict[int, FrameType], at_ns: int) -> None:
        """Follow whether anybody waits."""
        if not any(name in sys.modules for name in _MODULES):
            return
        found = _waiting_thread(frames) or _waiting_coroutine()
        if found is None:
            if self._episode is not None:
                self._episode.report()
                self._episode = None
        elif self._episode is None:
            stack, origin = found
            self._episode = Episode(Cause.POOL_WAIT, at_ns, at_ns, stack, origin)
        else:
            self._episode.again(at_ns)


def _waiting_thread(frames: dict[int, FrameType]) -> tuple[tuple[Frame, ...], Origin | None] | None:
    for frame in frames.values():
        if waits(frame) and _asks_pool(frames_of(frame)[:_NEAR]):
            return stack_of(frame), origin_of_thread(frames_of(frame))
    return None


def _waiting_coroutine() -> tuple[tuple[Frame, ...], Origin | None] | None:
    for origin in list(in_flight.values())[:_MOST_REQUESTS]:
        waiting = suspended(origin())[::-1]
        if _asks_pool(waiting[:_NEAR]):
            stack = tuple(
                (each.f_code.co_filename, each.f_lineno or 0, each.f_code.co_name)
                for each in waiting
            )
            return stack, origin
    return None


def _asks_pool(frames: list[FrameType]) -> bool:
    return any(
        frame.f_code.co_name in _CALLS and any(part in frame.f_code.co_filename for part in _POOLS)
        for frame in frames
    )
