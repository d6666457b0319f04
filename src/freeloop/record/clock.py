"""The clocks of a mark: wall, CPU of this thread, and how long this thread waited for a core."""

from __future__ import annotations

import os
import threading
from time import perf_counter_ns, thread_time_ns

COST_BATCHES = 20
COST_ROUNDS = 100
# Linux tells each thread its own: CPU time, time waiting in the run queue, time slices.
SCHEDULE = "/proc/thread-self/schedstat"

wall_ns = perf_counter_ns
cpu_ns = thread_time_ns


class RunQueue:
    """Reads the run-queue delay of the calling thread; one open file for each thread."""

    def __init__(self, path: str = SCHEDULE) -> None:
        self._path = path
        self._own = threading.local()
        self._opened: list[int] = []
        self.known = self.delay_ns() is not None

    def delay_ns(self) -> int | None:
        """Return how long this thread has waited for a core so far; None where nobody tells."""
        try:
            file = self._own.file
        except AttributeError:
            file = self._own.file = self._open()
        if file is None:
            return None
        try:
            return int(os.pread(file, 96, 0).split()[1])
        except (OSError, ValueError, IndexError):
            return None

    def close(self) -> None:
        """Close the files of all threads."""
        while self._opened:
            os.close(self._opened.pop())
        self._own = threading.local()

    def _open(self) -> int | None:
        try:
            # The link names the thread that opens it, and stays with that thread.
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        self._opened.append(file)
        return file
