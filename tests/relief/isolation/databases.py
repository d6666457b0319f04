"""A PostgreSQL of the tests' own, with few connections, and who is connected to it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import psycopg

CAFE = Path(__file__).parents[3] / "examples" / "cafe"
PATIENCE_S = 10.0


@contextmanager
def postgres() -> Iterator[str]:
    """Start the one that the sample project starts, and give its address."""
    sys.path.insert(0, str(CAFE))
    try:
        backing = import_module("backing")
    finally:
        sys.path.remove(str(CAFE))
    with backing.postgres() as address:
        yield address


def connected(address: str, name: str = "site") -> int:
    """Return how many sessions the sites have."""
    with psycopg.connect(address) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [name]
        ).fetchone()
    assert row is not None
    return int(row[0])


def settled(address: str, wanted: int = 0) -> int:
    """Return how many sessions there are once as many as wanted are left, or patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := connected(address)) > wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def kept_marks(address: str) -> list[tuple[str, str]]:
    """Return the rows that the storm's transactions left."""
    with psycopg.connect(address) as connection:
        return list(connection.execute("SELECT what, mark FROM kept_marks"))
