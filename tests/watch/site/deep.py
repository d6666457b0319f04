"""Helpers of the views, two and three calls away from them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.watch.site.planted import HOLD_S


def middle() -> None:
    inner()


def inner() -> None:
    time.sleep(HOLD_S)  # HERE three_calls_deep


def nap(seconds: float) -> float:
    time.sleep(seconds)  # HERE in_a_comprehension
    return seconds


def rows() -> Iterator[int]:
    yield 1
    time.sleep(HOLD_S)  # HERE in_a_generator
    yield 2


def spin(seconds: float) -> int:
    """Keep this thread on a core for so much CPU time, in Python."""
    until = time.thread_time() + seconds
    count = 0
    while time.thread_time() < until:  # HERE python_loop
        count += sum(range(50))  # HERE python_loop
    return count
