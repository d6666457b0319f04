"""Which other thread is at work: by its clock, and by whether its innermost frame is a wait."""

from __future__ import annotations

import threading
from types import FrameType

from freeloop.watch.clocks import Reading, of_thread
from freeloop.watch.stacks import stack_of
from freeloop.watch.stretch import Frame

# Innermost Python frames of threads that wait: file ending and function. What is written in C, as
# psycopg's waiting is, shows the frame that called it.
_WAITS = (
    ("threading.py", frozenset({"wait", "join", "acquire", "_wait_for_tstate_lock"})),
    ("queue.py", frozenset({"get", "put"})),
    ("concurrent/futures/thread.py", frozenset({"_worker"})),
    ("concurrent/futures/_base.py", frozenset({"result", "wait", "exception"})),
    ("selectors.py", frozenset({"select"})),
    ("socket.py", frozenset({"accept", "readinto", "recv", "recv_into"})),
    ("ssl.py", frozenset({"read", "recv", "recv_into"})),
    ("multiprocessing/connection.py", frozenset({"wait", "_recv", "poll"})),
    ("psycopg/connection.py", frozenset({"wait"})),
    ("subprocess.py", frozenset({"wait", "_try_wait", "_communicate"})),
)
_WAIT_NAMES = frozenset(name for _, names in _WAITS for name in names)
_MOST_THREADS = 64
_NEAR = 4
_NEVER = Reading(0, 0, 0)


def waits(frame: FrameType) -> bool:
    """Return whether the innermost frame of a thread is a wait of the standard library."""
    code = frame.f_code
    return code.co_name in _WAIT_NAMES and any(
        code.co_name in names and code.co_filename.endswith(file) for file, names in _WAITS
    )


def being_started(frames: list[FrameType]) -> threading.Thread | None:
    """Return the thread for whose first step the innermost frames wait."""
    for frame in frames[:_NEAR]:
        code = frame.f_code
        if code.co_name == "start" and code.co_filename.endswith("threading.py"):
            thread = frame.f_locals.get("self")
            return thread if isinstance(thread, threading.Thread) else None
    return None


def run_queue_ns(first: threading.Thread) -> int:
    """Return how long a thread and all that were started after it have been kept from a core."""
    alive = threading.enumerate()  # in the order in which they came up
    if first not in alive:
        return 0
    readings = [of_thread(each.native_id) for each in alive[alive.index(first) :][:_MOST_THREADS]]
    return sum(each.delay_ns for each in readings if each is not None)


class Suspects:
    """Other threads that may have held the interpreter lock."""

    def __init__(self) -> None:
        self._at_scan: dict[int, Reading] = {}
        self._passed_over: set[int | None] = set()

    def scan(self) -> None:
        """Read what the threads have used so far; of the first ones, where there are very many."""
        threads = threading.enumerate()
        self._passed_over = {thread.ident for thread in threads[_MOST_THREADS:]}
        self._at_scan = {
            thread.ident: reading
            for thread in threads[:_MOST_THREADS]
            if thread.ident is not None and (reading := of_thread(thread.native_id)) is not None
        }

    def starved_ns(self, without: set[int]) -> int:
        """Return how long another thread has been kept from a core since the scan, the most of all.

        A thread that is younger than the scan counts with all of its life.

        Args:
            without: Threads that are not meant.
        """
        known = [
            thread
            for thread in reversed(threading.enumerate())
            if thread.ident not in without and thread.ident not in self._passed_over
        ]
        return max(
            (
                now.delay_ns - self._at_scan.get(thread.ident or 0, _NEVER).delay_ns
                for thread in known[:_MOST_THREADS]
                if (now := of_thread(thread.native_id)) is not None
            ),
            default=0,
        )

    def at_work(
        self, frames: dict[int, FrameType], without: set[int]
    ) -> list[tuple[threading.Thread, tuple[Frame, ...]]]:
        """Return the threads that do not wait, with their stacks.

        Args:
            frames: Innermost frame by thread.
            without: Threads that are not to blame.
        """
        return [
            (thread, stack)
            for thread in threading.enumerate()
            if thread.ident not in without
            and (frame := frames.get(thread.ident or 0)) is not None
            and not waits(frame)
            and (stack := stack_of(frame))
        ]

    def busiest(
        self,
        at_work: list[tuple[threading.Thread, tuple[Frame, ...]]],
        *,
        lock_ns: int,
        asleep_ns: int,
    ) -> tuple[tuple[Frame, ...], int]:
        """Return the stack of the thread that used most since the scan, and how long it held on.

        Args:
            at_work: See above.
            lock_ns: How long the lock was held; what the thread was kept from a core is taken off.
            asleep_ns: Above 0: the lock was held, and the cores were hardly used: then it was held
                by a thread that slept, unless that thread was kept from a core itself.
        """
        best: tuple[Frame, ...] = ()
        most_ns, net_ns = -1, 0
        for thread, stack in at_work:
            now = of_thread(thread.native_id)
            if now is None:
                continue
            then = self._at_scan.get(thread.ident or 0, _NEVER)
            delay_ns = now.delay_ns - then.delay_ns
            if asleep_ns > 0 and delay_ns * 3 >= asleep_ns:
                continue
            if now.cpu_ns - then.cpu_ns > most_ns:
                best, most_ns = stack, now.cpu_ns - then.cpu_ns
                net_ns = lock_ns - delay_ns
        return best, net_ns
