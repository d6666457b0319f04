"""Outlet: the log. A line when a group is first seen, then counters, never a flood."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from freeloop.watch.sinks.groups import Group, Groups, Key
from freeloop.watch.sinks.sentence import sentence, summary
from freeloop.watch.stretch import Kind, Stretch

NAME = "freeloop.watch"
# One line for each group in that time, and no more lines than this of all groups together.
GROUP_EVERY_S = 60.0
MOST_LINES_A_MINUTE = 20


class Log:
    """Writes to the logger `freeloop.watch`: blocks and hidden things as warnings.

    What the host did is information: nobody's code is to blame. Each record carries the stretch as
    `record.stretch`, for handlers that want more than a line.
    """

    def __init__(
        self,
        *,
        group_every_s: float = GROUP_EVERY_S,
        most_lines_a_minute: int = MOST_LINES_A_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = logging.getLogger(NAME)
        self._groups = Groups()
        self._told: dict[Key, _Told] = {}
        self._every_s = group_every_s
        self._most = most_lines_a_minute
        self._clock = clock
        self._minute = clock()
        self._lines = 0
        self._withheld = 0

    def __call__(self, stretch: Stretch) -> None:
        """Log a stretch, or count it until its group may speak again."""
        now = self._clock()
        if now - self._minute >= 60:
            self._new_minute(now)
        group = self._groups.add(stretch)
        told = self._told.get(group.key)
        if told is not None and now - told.at < self._every_s:
            return
        if self._lines >= self._most:
            self._withheld += 1
            return
        self._lines += 1
        if told is None:
            line = sentence(stretch, group)
        else:
            count, total_ms = group.count - told.count, group.total_ms - told.total_ms
            line = summary(group, count, total_ms, now - told.at)
        self._told[group.key] = _Told(now, group)
        level = logging.INFO if stretch.kind is Kind.HOST else logging.WARNING
        self._log.log(level, "%s", line, extra={"stretch": stretch})

    def _new_minute(self, now: float) -> None:
        if self._withheld:
            self._log.warning(
                "%d lines more were not logged: no more than %d a minute",
                self._withheld,
                self._most,
            )
        self._minute, self._lines, self._withheld = now, 0, 0


class _Told:
    """What a group's latest line knew."""

    __slots__ = ("at", "count", "total_ms")

    def __init__(self, at: float, group: Group) -> None:
        self.at = at
        self.count = group.count
        self.total_ms = group.total_ms
