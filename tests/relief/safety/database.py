"""The connections that requests make: who made each, who closed it, and what was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.signals import connection_created


@dataclass(slots=True)
class Made:
    """One connection.

    Attributes:
        wrapper: Django's object; its `connection` is None once it is closed.
        thread: Identity of the thread that made it.
        closed_in: Identities of the threads that closed it.
    """

    wrapper: Any
    thread: int
    closed_in: list[int] = field(default_factory=list)


@contextmanager
def connections_made() -> Iterator[list[Made]]:
    """Collect the connections that are made inside, and where they are closed."""
    made: list[Made] = []

    def created(connection: Any, **_named: object) -> None:
        one = Made(connection, threading.get_ident())
        made.append(one)
        close = connection.close

        def noted_close() -> None:
            if connection.connection is not None:
                one.closed_in.append(threading.get_ident())
            close()

        connection.close = noted_close

    connection_created.connect(created)
    try:
        yield made
    finally:
        connection_created.disconnect(created)
        for one in made:
            # A cancelled request leaves it to the collector, which would warn.
            if one.wrapper.connection is not None:
                one.wrapper.connection.close()


@contextmanager
def queries_made() -> Iterator[list[tuple[str, object]]]:
    """Collect SQL and parameters of the connections that are made inside."""
    queries: list[tuple[str, object]] = []

    def created(connection: Any, **_named: object) -> None:
        def execute(run: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
            queries.append((sql, params))
            return run(sql, params, *rest)

        connection.execute_wrappers.append(execute)

    connection_created.connect(created)
    try:
        yield queries
    finally:
        connection_created.disconnect(created)
