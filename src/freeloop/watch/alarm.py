"""What ends the watchdog's sleep: somebody rings, or has set a timer and not taken it back.

Timers are files that CPython can make from 3.13 on, on Linux. Elsewhere there are none: whoever
would set one rings at once.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from typing import Any

from freeloop.watch.cause import LOCK_HELD_NS

_NEVER_NS = 1 << 62
_kernel: Any = os  # its timers are younger than the oldest Python that we support


class Alarm:
    """Rung from any thread, waited for in the watchdog's alone.

    Attributes:
        late: Called as the watchdog comes late out of its sleep, and before it gives the
            interpreter lock away again: whoever kept it stands where that was.
    """

    def __init__(self) -> None:
        self.late: Callable[[], object] = lambda: None
        self._lock = threading.Lock()
        self._lock.acquire()
        self._rung_ns = 0

    def ring(self) -> None:
        """End the sleep, or the next one; never waits."""
        self._rung_ns = time.perf_counter_ns()
        self._ring()

    def wait(self, due_ns: int, least_ns: int = 0) -> tuple[int, bool]:
        """Wait until then, until somebody rings, or until a timer is due.

        Args:
            due_ns: When to come at the latest.
            least_ns: Sleep for so long even if that is over.

        Returns:
            When it was time to come, and whether somebody rang.
        """
        left_ns = due_ns - time.perf_counter_ns()
        # What kept the watchdog so long after its last look may still be seen: no sleep then.
        if left_ns <= -LOCK_HELD_NS:
            return due_ns, False
        rung, timer_ns = self._sleep(max(left_ns, least_ns, 0) / 1e9)
        due_ns = min(due_ns, timer_ns, self._rung_ns if rung else _NEVER_NS)
        self.came(due_ns)
        return due_ns, rung

    def timer(self) -> Timer | None:
        """Return a new timer, None where there are none."""
        return None

    def came(self, due_ns: int) -> bool:
        """Be told that the watchdog has the interpreter lock; return whether that is late."""
        late = time.perf_counter_ns() - due_ns >= LOCK_HELD_NS
        if late:
            self.late()
        return late

    def leave(self) -> None:
        """Be told in a forked child that this alarm is the parent's."""

    def _ring(self) -> None:
        if self._lock.locked():
            try:
                self._lock.release()
            except RuntimeError:  # another thread was faster
                return

    def _sleep(self, seconds: float) -> tuple[bool, int]:
        """Return whether somebody rang, and when the first timer that went off was due."""
        return self._lock.acquire(timeout=seconds), _NEVER_NS


class FileAlarm(Alarm):
    """An alarm with timers.

    Its own two files stay open as long as the process lives: somebody may be about to ring.
    """

    def __init__(self) -> None:
        super().__init__()
        self._poll = select.epoll()
        self._bell = _kernel.eventfd(0, _kernel.EFD_NONBLOCK | _kernel.EFD_CLOEXEC)
        self._poll.register(self._bell, select.EPOLLIN)
        self._timers: dict[int, Timer] = {}

    def timer(self) -> Timer | None:
        """Return a new timer; None when there are too many open files."""
        try:
            file = _kernel.timerfd_create(
                time.CLOCK_MONOTONIC, flags=_kernel.TFD_NONBLOCK | _kernel.TFD_CLOEXEC
            )
        except OSError:
            return None
        timer = self._timers[file] = Timer(file, self._forget)
        self._poll.register(file, select.EPOLLIN)
        return timer

    def leave(self) -> None:
        """Close the child's ends, first of all.

        What it took out of the kernel's list would be gone for the parent too.
        """
        self._poll.close()
        os.close(self._bell)

    def _ring(self) -> None:
        _kernel.eventfd_write(self._bell, 1)

    def _sleep(self, seconds: float) -> tuple[bool, int]:
        files = [file for file, _ in self._poll.poll(seconds)]
        rung, due_ns = False, min(map(self._due_ns, files), default=_NEVER_NS)
        # Reading a file gives the lock away, and then a loop may set its timer anew.
        if not self.came(due_ns):
            due_ns = _NEVER_NS
        for file in files:
            timer = self._timers.get(file)
            if timer is not None:
                timer.hear()
            try:
                os.read(file, 8)
            except BlockingIOError:  # taken back in this very moment
                continue
            if timer is not None:
                due_ns = min(due_ns, timer.due_ns)
            rung = rung or file == self._bell
        return rung, due_ns

    def _due_ns(self, file: int) -> int:
        timer = self._timers.get(file)
        return self._rung_ns if timer is None else timer.missed_ns or timer.due_ns

    def _forget(self, timer: Timer) -> None:
        if self._timers.pop(timer.file, None) is not None and not self._poll.closed:
            self._poll.unregister(timer.file)


class Timer:
    """Makes an alarm go off, unless it is taken back; used by one loop's thread.

    Attributes:
        file: Its descriptor, closed with the last reference: a hook may be about to use it.
        due_ns: When it goes off, or did.
        missed_ns: When it did, where it was set anew before the watchdog could hear it: whoever
            set it had the interpreter lock meanwhile. Else 0.
    """

    def __init__(self, file: int, forget: Callable[[Timer], None]) -> None:
        self.file = file
        self.due_ns = self.missed_ns = self._heard_ns = 0
        self._forget = forget

    def set(self, after_ns: int) -> None:
        """Let the alarm go off after so long."""
        now_ns = time.perf_counter_ns()
        if now_ns - self.due_ns >= LOCK_HELD_NS and self.due_ns != self._heard_ns:
            self.missed_ns = self.due_ns
        self.due_ns = now_ns + after_ns
        _kernel.timerfd_settime_ns(self.file, initial=after_ns)

    def take_back(self) -> None:
        """Do not, unless it just has."""
        self._heard_ns = self.due_ns
        _kernel.timerfd_settime_ns(self.file, initial=0)

    def hear(self) -> None:
        """Be told that the watchdog knows that it went off."""
        self._heard_ns, self.missed_ns = self.due_ns, 0

    def leave(self) -> None:
        """Be heard by nobody any more."""
        self._forget(self)

    def __del__(self) -> None:
        os.close(self.file)


def new_alarm() -> Alarm:
    """Return an alarm with timers, where they are to be had."""
    # gevent takes epoll out of the module.
    if not hasattr(os, "timerfd_create") or not hasattr(select, "epoll"):
        return Alarm()
    try:
        return FileAlarm()
    except OSError:  # too many open files
        return Alarm()
