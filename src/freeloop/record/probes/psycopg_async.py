"""Queries of psycopg's asynchronous cursor: they wait without a thread, past Django."""

from __future__ import annotations

from types import FrameType

from freeloop.model.trace import MarkKind
from freeloop.record.monitor import Call
from freeloop.record.recorder import Detail
from freeloop.record.sql import masked
from freeloop.record.watch import Watch

LIBRARY = ("psycopg.cursor_async", "psycopg")


def install(watch: Watch) -> None:
    """Watch both ways of executing."""
    from psycopg import AsyncCursor

    for method in (AsyncCursor.execute, AsyncCursor.executemany):
        watch.call(method, Call(MarkKind.QUERY, asked, alone=True), "self", "query")


def asked(frame: FrameType) -> tuple[str, Detail | None]:
    """Tell the statement; composed SQL by its kind."""
    query = frame.f_locals["query"]
    text = query.decode("utf-8", "replace") if type(query) is bytes else query
    detail: Detail = {"library": "psycopg"}
    return (masked(text) if type(text) is str else type(query).__name__), detail
