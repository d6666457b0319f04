"""Honest work: keep a core busy for a given time of this thread's own CPU clock.

Imported by the workers of the process pool, so it imports nothing of Django.
"""

from __future__ import annotations

import time


def chop(ms: int) -> int:
    """Use `ms` milliseconds of CPU and return how many carrots were chopped.

    The thread's CPU clock stands still while the thread waits for a core or for the interpreter
    lock, so the work is the same on a busy machine: it only takes longer.
    """
    until = time.thread_time_ns() + ms * 1_000_000
    carrots = 0
    while time.thread_time_ns() < until:
        for _ in range(300):
            carrots += 1
    return carrots
