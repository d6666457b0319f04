"""Take Django's SQL functions off a SQLite connection before it is closed.

Django registers more than thirty on every SQLite connection. While `sqlite3` closes one it lets the
interpreter lock go, and then asks for it again to free each function: under load, each time a
thread may wait for its turn. With the lock in hand they are freed without asking.

Only what Django registered is taken off, and nothing runs between that and the closing. A
connection that is no plain `sqlite3.Connection`, or has a statement under way, is closed as it is.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from typing import Any

from freeloop.relief.plain import own_function


def take_off_on_closing(connection: Any) -> None:
    """Have a connection of Django's own SQLite backend close so; any other stays as it is."""
    if connection.vendor != "sqlite" or not own_function(type(connection)._close):
        return

    def _close() -> Any:
        _take_off(connection.connection)
        return type(connection)._close(connection)

    connection._close = _close


def _take_off(raw: Any) -> None:
    if type(raw) is not sqlite3.Connection:
        return
    # Also takes off what was no window function: SQLite keeps all of them by name and arguments.
    take_off = raw.create_window_function
    try:
        for name, arguments in _registered():
            take_off(name, arguments, None)
    except sqlite3.Error:
        return  # a statement is under way: closing frees the rest


class _Recorder(sqlite3.Connection):
    """Notes what is registered on it."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.registered: dict[tuple[str, int], None] = {}

    def create_function(self, name: str, narg: int, *given: Any, **named: Any) -> None:
        self.registered[name, narg] = None
        super().create_function(name, narg, *given, **named)

    def create_aggregate(self, name: str, n_arg: int, *given: Any) -> None:
        self.registered[name, n_arg] = None
        super().create_aggregate(name, n_arg, *given)


@cache
def _registered() -> tuple[tuple[str, int], ...]:
    """Return name and number of arguments of every function that the installed Django registers."""
    try:
        # Not before a connection of that backend was made, which imports it.
        from django.db.backends.sqlite3 import _functions  # type: ignore[attr-defined]

        with closing(_Recorder()) as recorder:
            _functions.register(recorder)
            return tuple(recorder.registered)
    except Exception:
        # It works otherwise than it used to, or an audit hook refuses: then nothing is taken off.
        return ()
