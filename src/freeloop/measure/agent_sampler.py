"""Where threads are when they hold the loop or burn CPU: the agent's sampling thread.

This file stands alone (standard library only): `agent.py` loads it by path.
"""

from __future__ import annotations

import collections
import os
import sys
import sysconfig
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

_SAMPLE_S = 0.005
_SWITCH_S = 0.0002
# A block of 10 ms is looked at in two of five; what is seen too rarely is left out in the end.
_BLOCKED_NS = 8_000_000
# A thread that ran for less of a sampling interval was mostly waiting: its frame tells of the wait.
_ON_CPU_SHARE = 0.2
_REPORTED_PLACES = 20
# Innermost frames of a thread that waits for work; a burst just before must not count for them.
_WAITING = {
    *{("selectors.py", "select"), ("runners.py", "run"), ("threading.py", "wait")},
    *{("thread.py", "_worker"), ("base_events.py", "run_forever")},
}
_STDLIB = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib"))
_LIBRARIES = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_OURS = str(Path(__file__).parent) + os.sep


class Sampler:
    """Looks at the frames of all threads every 5 ms.

    Attributes:
        steps: Thread to the start of the step of a request that runs on it now, nanoseconds;
            filled by the agent.
        kernel_ids: Thread to the kernel's id of it, for threads that Python did not start; filled
            by the agent.
        own_threads: The agent's threads, which are not the application's.
    """

    def __init__(self, root: str) -> None:
        self.root = str(Path(root).resolve()) + os.sep
        self.steps: dict[int, int] = {}
        self.kernel_ids: dict[int, int] = {}
        self.own_threads: set[int] = set()
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self._blocked_at: collections.Counter[str] = collections.Counter()
        self._cpu_ns: collections.Counter[str] = collections.Counter()
        self._thread_cpu_ns: dict[int, int] = {}

    def report(self) -> dict[str, Any]:
        """Return samples by place of blocked stretches, and CPU nanoseconds by package."""
        return {
            "blocked_at": dict(self._blocked_at.most_common(_REPORTED_PLACES)),
            "cpu_ns": dict(self._cpu_ns),
        }

    def run(self) -> None:
        """Sample for ever; the body of a daemon thread.

        The interpreter lock is asked for more often than usual (5 ms): else a thread that works in
        shorter bits would be seen only where it gives the lock away, which is in asgiref.
        """
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_S))
        self.own_threads.add(threading.get_ident())
        before_ns = time.perf_counter_ns()
        while True:
            time.sleep(_SAMPLE_S)
            now_ns = time.perf_counter_ns()
            self._look(now_ns, now_ns - before_ns)
            before_ns = now_ns

    def _look(self, now_ns: int, interval_ns: int) -> None:
        # Frames are let go on return: they would keep the locals of requests alive.
        frames = sys._current_frames()
        for thread, started_ns in list(self.steps.items()):
            if now_ns - started_ns > _BLOCKED_NS and thread in frames:
                self._blocked_at[self._place(frames[thread])] += 1
        self._share_cpu(frames, interval_ns)

    def _share_cpu(self, frames: Mapping[int, FrameType], interval_ns: int) -> None:
        native = {thread.ident: thread.native_id for thread in threading.enumerate()}
        last_ns, current_ns = self._thread_cpu_ns, {}
        for thread, frame in frames.items():
            kernel_id = native.get(thread) or self.kernel_ids.get(thread)
            if kernel_id is None or thread in self.own_threads:
                continue
            try:
                # The clock of a thread of this process, by its kernel id; unlike
                # pthread_getcpuclockid it is safe when the thread has just ended.
                cpu_ns = time.clock_gettime_ns((~kernel_id << 3) | 6)
            except OSError:
                continue
            current_ns[thread] = cpu_ns
            spent_ns = cpu_ns - last_ns.get(thread, cpu_ns)
            if spent_ns > _ON_CPU_SHARE * interval_ns and not _waits(frame):
                self._cpu_ns[self._package(frame)] += spent_ns
        self._thread_cpu_ns = current_ns

    def _place(self, frame: FrameType) -> str:
        """Return "file:line function" of the deepest project frame, else of the deepest library."""
        library = ""
        for inner in _frames(frame):
            path, name = inner.f_code.co_filename, inner.f_code.co_qualname
            if self._in_project(path):
                return f"{path.removeprefix(self.root)}:{inner.f_lineno} {name}"
            if not library and _package_of(path):
                library = f"{_library_path(path)}:{inner.f_lineno} {name}"
        return library or f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"

    def _package(self, frame: FrameType) -> str:
        """Return the top-level package of the innermost frame outside the standard library."""
        for inner in _frames(frame):
            path = inner.f_code.co_filename
            if self._in_project(path):
                return "project"
            if package := _package_of(path):
                return package
        return "python"

    def _in_project(self, path: str) -> bool:
        return path.startswith(self.root) and not any(part in path for part in _LIBRARIES)


def _frames(frame: FrameType) -> Iterator[FrameType]:
    """Yield the frame and its callers, innermost first, without the agent's own."""
    current: FrameType | None = frame
    while current is not None:
        if not current.f_code.co_filename.startswith((_OURS, "<")):
            yield current
        current = current.f_back


def _waits(frame: FrameType) -> bool:
    return (Path(frame.f_code.co_filename).name, frame.f_code.co_name) in _WAITING


def _package_of(path: str) -> str:
    """Return the top-level package of a library's file, "" for the standard library."""
    relative = _library_path(path)
    if relative == path:
        return "" if path.startswith(_STDLIB) else Path(path).parent.name
    return relative.partition(os.sep)[0].removesuffix(".py")


def _library_path(path: str) -> str:
    """Return the path below the folder of installed packages, else the path itself."""
    for folder in _LIBRARIES:
        before, _, after = path.rpartition(folder)
        if before:
            return after
    return path
