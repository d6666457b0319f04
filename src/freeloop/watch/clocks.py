"""How long a thread ran, and how long it wanted to run and the kernel did not let it.

Linux counts both per thread in `/proc/self/task/TID/schedstat`. Where that is missing, the CPU time
of the process stands in for the thread's, and the delay is unknown.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple


class Reading(NamedTuple):
    """The clocks of one thread at one moment, in nanoseconds.

    Attributes:
        at_ns: `time.perf_counter_ns`.
        cpu_ns: Time on a core.
        delay_ns: Time in the run queue; 0 where the kernel does not say.
    """

    at_ns: int
    cpu_ns: int
    delay_ns: int


class ThreadClock:
    """The clocks of one thread, read through a file that stays open."""

    def __init__(self, native_id: int) -> None:
        self._file = -1
        try:
            self._file = os.open(f"/proc/self/task/{native_id}/schedstat", os.O_RDONLY)
        except OSError:
            return

    def read(self) -> Reading:
        """Return the clocks now; of a thread that has ended, those of the process."""
        if self._file >= 0:
            try:
                cpu, delay, _ = os.pread(self._file, 64, 0).split()
                return Reading(time.perf_counter_ns(), int(cpu), int(delay))
            except (OSError, ValueError):  # the thread has ended, or the file was just closed
                pass
        return Reading(time.perf_counter_ns(), time.process_time_ns(), 0)

    def close(self) -> None:
        """Close the file; may be called twice."""
        # Another thread may be reading, or closing it too.
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def of_thread(native_id: int | None) -> Reading | None:
    """Return the clocks of any thread of this process, once; None if they cannot be read."""
    try:
        with open(f"/proc/self/task/{native_id}/schedstat", "rb", buffering=0) as file:  # noqa: PTH123
            cpu, delay, _ = file.read(64).split()
    except (OSError, ValueError):
        return None
    return Reading(time.perf_counter_ns(), int(cpu), int(delay))
