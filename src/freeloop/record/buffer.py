"""Where marks and steps go while the request runs: a list for each thread, and an end to it."""

from __future__ import annotations

import itertools
from threading import get_ident
from typing import Any

type Row = tuple[Any, ...]


class Buffer:
    """Rows of all threads, at most `cap`; the others are counted.

    A row is a bare tuple: making one costs a fourteenth of a frozen dataclass.
    """

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._rows: dict[int, list[Row]] = {}
        # Drawing a number is one step of the interpreter, so no lock is needed.
        self._room = itertools.count(1)
        self._lost = itertools.count()

    def reserve(self) -> bool:
        """Return whether one more row fits, and keep its place; otherwise count it as lost."""
        if next(self._room) <= self.cap:
            return True
        next(self._lost)
        return False

    def put(self, row: Row) -> None:
        """Keep a row whose place was reserved."""
        thread = get_ident()
        rows = self._rows.get(thread)
        if rows is None:
            rows = self._rows.setdefault(thread, [])
        rows.append(row)

    def add(self, row: Row) -> None:
        """Keep a row if there is room."""
        if self.reserve():
            self.put(row)

    @property
    def dropped(self) -> int:
        """Rows that did not fit."""
        # A count shows its next number to copy and repr only.
        return int(repr(self._lost)[len("count(") : -1])

    def sorted(self) -> list[Row]:
        """Return the rows of all threads by their first value, the time."""
        rows = [row for rows in self._rows.values() for row in rows]
        rows.sort(key=lambda row: row[0])
        return rows
