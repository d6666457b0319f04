"""Sets of time: half-open intervals, joined where they meet."""

from __future__ import annotations

from collections.abc import Iterable

type Interval = tuple[int, int]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same time as disjoint intervals, sorted; empty ones are left out."""
    joined: list[Interval] = []
    for start, end in sorted(each for each in intervals if each[0] < each[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def minus(these: Iterable[Interval], those: Iterable[Interval]) -> list[Interval]:
    """Return the time in these and not in those."""
    left: list[Interval] = []
    holes = union(those)
    for start, end in union(these):
        at = start
        for hole_start, hole_end in holes:
            if hole_end <= at:
                continue
            if hole_start >= end:
                break
            if at < hole_start:
                left.append((at, hole_start))
            at = hole_end
        if at < end:
            left.append((at, end))
    return left


def common(these: Iterable[Interval], those: Iterable[Interval]) -> list[Interval]:
    """Return the time in both."""
    held = union(these)
    return minus(held, minus(held, those))


def length_ns(intervals: Iterable[Interval]) -> int:
    """Return how long they last together; time in two of them counts once."""
    return sum(end - start for start, end in union(intervals))
