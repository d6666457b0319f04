"""Which other thread is at work: by its clock, and by whether its innermost frame is a wait."""

from __future__ import annotations

import threading
from types import FrameType

from freeloop.watch.clocks import Reading, of_thread
from freeloop.watch.stacks import stack_of
from freeloop.watch.stretch import Frame

# Innermost Python frames of threads that wait: file ending and function.
_WAITS = (
    ("threading.py", frozenset({"wait", "join", "acquire", "_wait_for_tstate_lock"})),
    ("queue.py", frozenset({"get", "put"})),
    ("concurrent/futures/thread.py", frozenset({"_worker"})),
    ("concurrent/futures/_base.py", frozenset({"result", "wait", "exception"})),
    ("selectors.py", frozenset({"select"})),
    ("socket.py", frozenset({"accept", "readinto", "recv", "recv_into"})),
    ("ssl.py", frozenset({"read", "recv", "recv_into"})),
    ("multiprocessing/connection.py", frozenset({"wait", "_recv", "poll"})),
    ("subprocess.py", frozenset({"wait", "_try_wait", "_communicate"})),
)
_WAIT_NAMES = frozenset(name for _, names in _WAITS for name in names)
_MOST_THREADS = 64


def waits(frame: FrameType) -> bool:
    """Return whether the innermost frame of a thread is a wait of the standard library."""
    code = frame.f_code
    return code.co_name in _WAIT_NAMES and any(
        code.co_name in names and code.co_filename.endswith(file) for file, names in _WAITS
    )


class ThreadClocks:
    """What every Python thread had used at the last scan."""

    def __init__(self) -> None:
        self._at_scan: dict[int, Reading] = {}

    def scan(self) -> None:
        """Read the clocks of the threads; of the first ones, where there are very many."""
        self._at_scan = {
            thread.ident: reading
            for thread in threading.enumerate()[:_MOST_THREADS]
            if thread.ident is not None and (reading := of_thread(thread.native_id)) is not None
        }

    def busiest(
        self, frames: dict[int, FrameType], without: set[int]
    ) -> tuple[tuple[Frame, ...], int, int]:
        """Return stack, CPU time and run-queue delay since the scan of the busiest thread.

        Args:
            frames: Innermost frame by thread.
            without: Threads that are not to blame.
        """
        best: tuple[tuple[Frame, ...], int, int] = ((), -1, 0)
        for thread in threading.enumerate():
            frame = frames.get(thread.ident or 0)
            if frame is None or thread.ident in without or waits(frame):
                continue
            now = of_thread(thread.native_id)
            if now is None:
                continue
            then = self._at_scan.get(thread.ident or 0, Reading(0, 0, 0))
            cpu_ns = now.cpu_ns - then.cpu_ns
            if cpu_ns > best[1]:
                best = (stack_of(frame), cpu_ns, now.delay_ns - then.delay_ns)
        return best
