"""Stretches counted by what they have in common: route, line of the project, what it called.

A line that blocks is reached thousands of times a day: people want to read it once, with counters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from freeloop.watch.stretch import Frame, Kind, Stretch, is_project

# Memory stays below a megabyte: further groups are counted together.
MOST_GROUPS = 500
# Buckets of a tenth each: a quantile is off by no more than that.
_STEP = math.log(1.1)


class Key(NamedTuple):
    """What the stretches of one group have in common.

    Attributes:
        kind: Of the stretch: "block", "hidden" or "host".
        cause: Of the stretch.
        route: Pattern of the URLconf; None where it is not known.
        line: Deepest frame of the project, else that of whoever waits, else the innermost; None
            where there is no stack.
        callee: Function that ran innermost; None where there is no stack.
    """

    kind: str
    cause: str
    route: str | None
    line: Frame | None
    callee: str | None


# Stands for all groups that came after the cap.
REST = Key("block", "many", None, None, None)


class Group:
    """Counters of one group.

    Attributes:
        key: What its stretches have in common.
        count: Stretches.
        total_ms: Their sum.
        max_ms: The longest.
        first: Unix time at which the first one started.
        last: Unix time at which the latest one started.
    """

    __slots__ = ("_buckets", "count", "first", "key", "last", "max_ms", "total_ms")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.count = 0
        self.total_ms = 0.0
        self.max_ms = 0.0
        self.first = math.inf
        self.last = -math.inf
        self._buckets: dict[int, int] = {}

    def add(self, ms: float, started: float) -> None:
        """Count one stretch."""
        self.count += 1
        self.total_ms += ms
        self.max_ms = max(self.max_ms, ms)
        self.first = min(self.first, started)
        self.last = max(self.last, started)
        bucket = math.floor(math.log(max(ms, 0.001)) / _STEP)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1

    @property
    def p99_ms(self) -> float:
        """What 99 of 100 stretches do not exceed; at most a tenth too high."""
        wanted = math.ceil(0.99 * self.count)
        seen = 0
        for bucket, count in sorted(self._buckets.items()):
            seen += count
            if seen >= wanted:
                return min(self.max_ms, math.exp((bucket + 1) * _STEP))
        return self.max_ms


class Groups:
    """All groups of one process, no more than `most`.

    Without a lock: one thread adds, and a lock that is held while a server forks stays held.
    """

    def __init__(self, most: int = MOST_GROUPS) -> None:
        self._most = most
        self._groups: dict[Key, Group] = {}

    def add(self, stretch: Stretch) -> Group:
        """Count a stretch and return its group; the one for the rest when there are too many."""
        key = key_of(stretch)
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= self._most:
                key = REST
            group = self._groups.setdefault(key, Group(key))
        group.add(stretch.ms, stretch.started)
        return group

    def __iter__(self) -> Iterator[Group]:
        return iter(list(self._groups.values()))

    def __len__(self) -> int:
        return len(self._groups)


def key_of(stretch: Stretch) -> Key:
    """Return what a stretch has in common with others; all that the host did is one."""
    if stretch.kind is Kind.HOST:
        # Where the code stood by chance when it got no core tells nothing.
        return Key(stretch.kind.value, stretch.cause.value, None, None, None)
    line = stretch.line or _line_of_waiter(stretch)
    if line is None and stretch.frames:
        line = stretch.frames[0]
    return Key(stretch.kind.value, stretch.cause.value, stretch.route, line, stretch.callee)


def _line_of_waiter(stretch: Stretch) -> Frame | None:
    """Return where the project waits, when a library alone is on the stack to blame."""
    return next((frame for frame in stretch.other if is_project(frame[0])), None)
