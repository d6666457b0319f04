"""What a server's process tree used, seen from outside: CPU, run queue, memory, threads."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINUX = sys.platform == "linux"


@dataclass(frozen=True, slots=True)
class Usage:
    """A process tree at one moment; the first two fields only mean something as a difference.

    Attributes:
        cpu_ns: CPU time so far of all living processes and of the ended ones that they waited for.
        queue_ns_by_thread: Run-queue delay so far by (process, thread); None where the kernel does
            not tell.
        rss_bytes: Resident memory; pages that processes share are counted in each.
        threads: Living threads.
        processes: Living processes.
    """

    cpu_ns: int
    queue_ns_by_thread: Mapping[tuple[int, int], int] | None
    rss_bytes: int
    threads: int
    processes: int

    @property
    def queue_ns(self) -> int | None:
        """Run-queue delay so far of all living threads; None where the kernel does not tell.

        Falls when threads end: for a stretch of time, `queue_ns_since` is nearer to the truth.
        """
        delays = self.queue_ns_by_thread
        return None if delays is None else sum(delays.values())

    def cpu_ns_since(self, before: Usage) -> int:
        """Return the CPU time between two moments, nanoseconds.

        Never negative: when a worker ends, its time is taken over in ticks of 10 ms.
        """
        return max(0, self.cpu_ns - before.cpu_ns)

    def queue_ns_since(self, before: Usage) -> int | None:
        """Return how long threads wanted a core and had none, summed, nanoseconds.

        A lower bound: threads that ended in between take theirs with them.

        Returns:
            None where the kernel does not tell.
        """
        if self.queue_ns_by_thread is None or before.queue_ns_by_thread is None:
            return None
        earlier = before.queue_ns_by_thread
        return sum(
            max(0, delay - earlier.get(thread, 0))
            for thread, delay in self.queue_ns_by_thread.items()
        )


def cpu_ns(pid: int) -> int:
    """Return the CPU time of the process and its descendants until now; cheaper than `usage`."""
    return sum(_cpu_ns(process) for process in tree_of(pid))


def usage(pid: int) -> Usage:
    """Return what the process and its descendants used until now; zeros when it is gone."""
    tree = tree_of(pid)
    seen = [memory_and_threads(process) for process in tree]
    return Usage(
        cpu_ns=sum(_cpu_ns(process) for process in tree),
        queue_ns_by_thread=_queue_ns_by_thread(tree) if _LINUX else None,
        rss_bytes=sum(rss for rss, _ in seen),
        threads=sum(threads for _, threads in seen),
        processes=sum(threads > 0 for _, threads in seen),
    )


def tree_of(pid: int) -> list[psutil.Process]:
    """Return the process and its descendants; none when it is gone."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu_ns(process: psutil.Process) -> int:
    """Return the process's own CPU time and that of the children it has waited for."""
    children_ns = 0
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        own_ns = int((times.user + times.system) * 1e9)
        if _LINUX:
            children_ns = int((times.children_user + times.children_system) * 1e9)
            # The fields above tick every 10 ms; the process's clock counts nanoseconds. A process
            # that has ended and was not waited for has no clock, its fields stay readable.
            with contextlib.suppress(OSError):
                own_ns = time.clock_gettime_ns((~process.pid << 3) | 2)
        return own_ns + children_ns
    return 0


def _queue_ns_by_thread(tree: list[psutil.Process]) -> dict[tuple[int, int], int] | None:
    delays: dict[tuple[int, int], int] = {}
    readable = False
    for process in tree:
        folder = f"/proc/{process.pid}/task"
        with contextlib.suppress(OSError):
            for thread in os.listdir(folder):  # noqa: PTH208 - twice as fast, up to 1000 threads
                with contextlib.suppress(OSError, IndexError, ValueError):
                    text = Path(f"{folder}/{thread}/schedstat").read_text(encoding="ascii")
                    delays[process.pid, int(thread)] = int(text.split()[1])
                    readable = True
    # Kernels without scheduler statistics have no such file: unknown, not zero.
    return delays if readable else None


def memory_and_threads(process: psutil.Process) -> tuple[int, int]:
    """Return resident bytes and threads; zeros for a process that has ended."""
    if _LINUX:
        with contextlib.suppress(OSError, IndexError, ValueError):
            text = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace")
            # After the name, which may hold anything: state is field 3, threads 20, pages 24.
            fields = text.rpartition(")")[2].split()
            if fields[0] not in "ZX":
                return int(fields[21]) * os.sysconf("SC_PAGE_SIZE"), int(fields[17])
        return 0, 0
    with contextlib.suppress(psutil.Error):
        return process.memory_info().rss, process.num_threads()
    return 0, 0
