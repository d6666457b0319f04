"""Threads that requests start, and waiting for something without sleeping for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE_S = 20


def request_threads(threads: list[threading.Thread]) -> list[threading.Thread]:
    """Leave out the loop's own thread, and its default pool, which is shared by all requests."""
    return [
        each for each in threads if each.name != "loop of the test" and "asyncio" not in each.name
    ]


def until(true: Callable[[], bool]) -> None:
    """Ask again and again until it is true; fail when patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
