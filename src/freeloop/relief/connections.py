"""Give a request's database connections back before a long wait, by hand.

Django keeps a connection from the first query until the request ends, also while the request only
waits. `async with release_connections():` closes them (a pooled one goes back to its pool); the
next query opens or fetches one again.

Django keeps no record of open cursors, and closing a connection under `aiterator()` kills the
iteration. So the connections that async requests make keep one: `tracking_create_connection`.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Self

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections
from django.utils.connection import ConnectionDoesNotExist

from freeloop.relief import switch
from freeloop.relief.request_thread import untouched
from freeloop.relief.sqlite_functions import take_off_on_closing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_CURSORS = "_freeloop_cursors"


class ConnectionInUse(RuntimeError):  # noqa: N818 - the state it is in, not an error of its own
    """A connection that was not released, and why.

    Attributes:
        alias: Of the database.
        reason: What would be lost with the connection.
    """

    def __init__(self, alias: str, reason: str) -> None:
        super().__init__(
            f"the connection {alias!r} was not released: {reason}. Nothing was closed."
            " End what holds it first, or release other connections with using=."
        )
        self.alias = alias
        self.reason = reason


class release_connections:  # noqa: N801 - reads as a function, as `transaction.atomic`
    """Close the request's connections on entering; `async with release_connections():`.

    State that a session holds goes with the connection: SET ROLE, search_path, advisory locks,
    temporary tables, LISTEN.

    Args:
        using: One alias, several, or None for all.

    Raises:
        ConnectionInUse: On entering, if one of them is in a transaction, waits for `on_commit`, or
            has a cursor open. Then none is closed.
        ConnectionDoesNotExist: On entering, if there is no such alias.
    """

    def __init__(self, using: str | Iterable[str] | None = None) -> None:
        self._using = using
        self.released: tuple[str, ...] = ()

    async def __aenter__(self) -> Self:
        """Close them, in the thread that owns them; a request without a thread has none."""
        aliases = self._aliases()
        # The kill switch leaves connections as stock has them, and views working.
        if not untouched() and not switch.killed():
            self.released = await sync_to_async(_release)(aliases)
        return self

    async def __aexit__(self, *_raised: object) -> None:
        """Do nothing: the next query opens a connection."""

    def _aliases(self) -> tuple[str, ...]:
        if self._using is None:
            return tuple(connections)
        aliases = (self._using,) if isinstance(self._using, str) else tuple(self._using)
        for alias in aliases:
            if alias not in connections.settings:
                raise ConnectionDoesNotExist(f"The connection {alias!r} doesn't exist.")
        return aliases


def tracking_create_connection(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return `ConnectionHandler.create_connection`; async requests' cursors are kept track of.

    Theirs also close quietly, if they are SQLite's: see `sqlite_functions`.
    """

    def create_connection(self: Any, alias: str) -> Any:
        connection = stock(self, alias)
        # Set by asgiref in the threads that it runs sync code of async callers in.
        if getattr(SyncToAsync.threadlocal, "main_event_loop", None) is not None:
            _track_cursors(connection)
            take_off_on_closing(connection)
        return connection

    return create_connection


def _track_cursors(connection: Any) -> None:
    opened: set[weakref.ref[Any]] = set()
    prepare = connection._prepare_cursor

    def _prepare_cursor(cursor: Any) -> Any:
        wrapper = prepare(cursor)
        close = wrapper.close
        # Nothing here may hold the wrapper: one that is dropped, with the rows in it, is freed at
        # once in stock, and a cycle would keep it until the next collection.
        mark = weakref.ref(wrapper, opened.discard)

        def tracked_close() -> Any:
            opened.discard(mark)
            return close()

        # `CursorWrapper` hands `close` on to the driver's cursor, also when a `with` block ends.
        wrapper.close = tracked_close
        opened.add(mark)
        return wrapper

    connection._prepare_cursor = _prepare_cursor
    setattr(connection, _CURSORS, opened)


def _release(aliases: tuple[str, ...]) -> tuple[str, ...]:
    # Without making the others: that imports their drivers.
    made = connections.all(initialized_only=True)
    opened = [each for each in made if each.alias in aliases and each.connection is not None]
    for each in opened:
        if reason := _reason_to_keep(each):
            raise ConnectionInUse(each.alias, reason)
    for each in opened:
        each.close()
    # SQLite in memory stays open: Django does not close it.
    return tuple(each.alias for each in opened if each.connection is None)


def _reason_to_keep(connection: Any) -> str:
    cursors = getattr(connection, _CURSORS, None)
    if connection.in_atomic_block:
        return "it is inside of transaction.atomic()"
    if connection.run_on_commit:
        return "functions wait for transaction.on_commit()"
    if not connection.autocommit:
        return "it is not in autocommit mode, so a transaction may be open"
    if cursors is None:
        return "its cursors are not known; it was made outside of a request or before install()"
    if len(cursors):
        return f"{len(cursors)} cursor(s) are open (an unfinished iterator, or no close())"
    return ""
