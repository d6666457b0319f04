"""How long a thread ran, and how long it wanted to run and the kernel did not let it.

Linux counts the delay per thread in `/proc/self/task/TID/schedstat`. Reading a file gives the
interpreter lock away, which a busy thread then has for milliseconds; the thread's CPU clock alone
can be read without. Where the file is missing, the CPU time of the process stands in for the
thread's, and the delay is unknown.
"""

from __future__ import annotations

import os
import threading
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
        self._delay_ns = 0
        # Asked for on the thread itself: for one that has ended it would crash the process.
        self._cpu_clock = None
        if native_id == threading.get_native_id() and hasattr(time, "pthread_getcpuclockid"):
            self._cpu_clock = time.pthread_getcpuclockid(threading.get_ident())
        try:
            self._file = os.open(f"/proc/self/task/{native_id}/schedstat", os.O_RDONLY)
        except OSError:
            return

    def read(self) -> Reading:
        """Return the clocks now; of a thread that has ended, those of the process."""
        if self._file >= 0:
            try:
                cpu, delay, _ = os.pread(self._file, 64, 0).split()
                self._delay_ns = int(delay)
                if self._cpu_clock is None:
                    return Reading(time.perf_counter_ns(), int(cpu), self._delay_ns)
                return self._glance(self._cpu_clock)
            except (OSError, ValueError):  # the thread has ended, or the file was just closed
                pass
        return Reading(time.perf_counter_ns(), time.process_time_ns(), 0)

    def glance(self) -> Reading:
        """Return the clocks now, with the delay of the last reading; keeps the interpreter lock."""
        if self._file >= 0 and self._cpu_clock is not None:
            try:
                return self._glance(self._cpu_clock)
            except OSError:  # the thread has ended
                pass
        return self.read()

    def _glance(self, clock: int) -> Reading:
        return Reading(time.perf_counter_ns(), time.clock_gettime_ns(clock), self._delay_ns)

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
