"""Watch: looks at a process tree many times a second and keeps what a difference cannot tell."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Self

import psutil

from freeloop.measure.observe import memory_and_threads, tree_of

_LINUX = sys.platform == "linux"
# At irregular moments: a regular look could fall in step with waits of the same length.
_INTERVAL_S = (0.015, 0.035)
# A look reads every thread of the server; of a thousand threads it must not take a core.
_MOST_OF_A_CORE = 0.05
# A walk reads every process of the machine, memory and threads every process of the tree.
_WALK_EVERY_S = 1.0
_PEAKS_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Peaks:
    """What was seen between two moments.

    Attributes:
        rss_bytes: Most resident memory of the tree, looked at every 100 ms.
        threads: Most threads of the tree, looked at every 100 ms.
        processes: Most processes of the tree.
        running: Mean number of threads that ran or waited for a core, each look counting at most
            `cores` of them; None where the kernel does not tell.
        samples: How many looks `running` rests on.
    """

    rss_bytes: int = 0
    threads: int = 0
    processes: int = 0
    running: float | None = None
    samples: int = 0


@dataclass(slots=True)
class Watch:
    """A thread that looks at a process tree; `peaks` holds what it saw.

    Use as a context manager around a round, or `start` and `stop`.

    Attributes:
        pid: Root of the tree.
        cores: Cores that the tree may use.
        peaks: Complete after `stop`.
    """

    pid: int
    cores: int = 1
    peaks: Peaks = field(default_factory=Peaks)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Start looking; forgets what an earlier stretch saw."""
        self.peaks = Peaks()
        self._ended.clear()
        self._thread = threading.Thread(target=self._look, name="freeloop-watch", daemon=True)
        self._thread.start()

    def stop(self) -> Peaks:
        """Stop looking and return what was seen; may be called twice."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        return self.peaks

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _look(self) -> None:
        tree: list[psutil.Process] = []
        walked = peaked = float("-inf")
        counts: list[int] = []
        rss_bytes = threads = processes = 0
        while True:
            began = time.monotonic()
            if began - walked >= _WALK_EVERY_S:
                tree, walked = tree_of(self.pid), began
            if began - peaked >= _PEAKS_EVERY_S:
                seen = [memory_and_threads(process) for process in tree]
                rss_bytes = max(rss_bytes, sum(rss for rss, _ in seen))
                threads = max(threads, sum(count for _, count in seen))
                processes = max(processes, sum(count > 0 for _, count in seen))
                peaked = began
            if _LINUX:
                counts.append(_running(tree, at_most=self.cores))
            self.peaks = Peaks(
                rss_bytes=rss_bytes,
                threads=threads,
                processes=processes,
                running=sum(counts) / len(counts) if counts else None,
                samples=len(counts),
            )
            pause_s = max(
                random.uniform(*_INTERVAL_S),
                (time.monotonic() - began) / _MOST_OF_A_CORE,
            )
            if self._ended.wait(pause_s):
                return


def _running(tree: list[psutil.Process], *, at_most: int) -> int:
    """Return how many threads run or wait for a core; counting stops at the number of cores."""
    count = 0
    for process in tree:
        folder = f"/proc/{process.pid}/task"
        with contextlib.suppress(OSError):
            for thread in os.listdir(folder):  # noqa: PTH208 - twice as fast, up to 1000 threads
                if _runs(f"{folder}/{thread}/stat"):
                    count += 1
                    if count >= at_most:
                        return count
    return count


def _runs(stat: str) -> bool:
    with contextlib.suppress(OSError):
        descriptor = os.open(stat, os.O_RDONLY)
        try:
            # The name of a thread has at most 15 bytes, which may be parentheses too.
            head = os.read(descriptor, 64)
        finally:
            os.close(descriptor)
        return head.rpartition(b") ")[2][:1] == b"R"
    return False
