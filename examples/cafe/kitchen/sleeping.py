"""`Sleep`: a query that takes its time, with the same SQL on PostgreSQL and SQLite."""

from __future__ import annotations

import time
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import FloatField, Func, TextField, Value


class Sleep(Func):
    """PostgreSQL's pg_sleep; gives an empty text."""

    function = "pg_sleep"

    def __init__(self, seconds: float) -> None:
        super().__init__(Value(seconds, output_field=FloatField()), output_field=TextField())


def teach_sqlite(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Register pg_sleep on a new SQLite connection; other databases have their own."""
    if connection.vendor == "sqlite":
        # Not deterministic, so that SQLite calls it for every row and never remembers it.
        connection.connection.create_function("pg_sleep", 1, _pg_sleep, deterministic=False)


def _pg_sleep(seconds: float) -> str:
    time.sleep(seconds)
    return ""
