"""How a loop that stirs sends for the dozing watchdog: at once, or once that has lasted a while.

What wakes an idle loop is mostly over at once. Where a timer can be set and taken back, the
watchdog sleeps through it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from freeloop.watch.alarm import Timer

# A loop that stirs more often than that is watched awake.
_APART_NS = 10_000_000
_APART_S, _NOTES_APART_S = _APART_NS / 1e9, 0.5


class Summons:
    """Those of one loop, used on its own thread.

    Attributes:
        dozing: Whether the watchdog does.
        waits: Whether the watchdog can sleep through what is over soon.
        under_way: Whether it was sent for, comes later, and nobody has taken that back.
        due: When it comes in any case, `time.perf_counter`. All are lists of one, because a hook
            keeps no `self`.
    """

    def __init__(
        self, dozing: list[bool], wake: Callable[[], None], timer: Timer | None, after_ns: int
    ) -> None:
        """Keep how.

        Args:
            dozing: Whether the watchdog does.
            wake: Wakes it at once.
            timer: Wakes it later; None where there is none.
            after_ns: How much later.
        """
        self.dozing = dozing
        self.waits = timer is not None
        self.under_way = [False]
        self.due = [0.0]
        self._wake = wake
        self._timer = timer
        self._after_ns = after_ns
        self._sent_ns = 0
        self._waited_s = self._noted_s = 0.0

    def send(self) -> bool:
        """Send for the watchdog; return whether that can still be taken back."""
        now_ns = time.perf_counter_ns()
        apart_ns, self._sent_ns = now_ns - self._sent_ns, now_ns
        if self._timer is None or apart_ns < _APART_NS:
            self._wake()
            return False
        self.under_way[0], self.due[0] = True, (now_ns + self._after_ns) / 1e9
        self._timer.set(self._after_ns)
        return True

    def send_after(self, now_s: float, timeout: float | None, note: Callable[[], None]) -> None:
        """Send for the watchdog in case the loop is not back soon after it must be.

        A turn that one of the loop's own timers brings about then costs one timer of ours.

        Args:
            now_s: `time.perf_counter`.
            timeout: For how long the loop now waits at most, in seconds; None for ever.
            note: Reads the clocks of the loop's thread.
        """
        apart_s, self._waited_s = now_s - self._waited_s, now_s
        if timeout is None or self._timer is None:
            self.take_back()
        elif apart_s < _APART_S:
            self._wake()
        else:
            if now_s - self._noted_s >= _NOTES_APART_S:
                self._noted_s = now_s
                note()
            after_ns = int(max(timeout, 0.0) * 1e9) + self._after_ns
            self.under_way[0], self.due[0] = False, now_s + after_ns / 1e9
            self._timer.set(after_ns)

    def take_back(self) -> None:
        """Let the watchdog sleep: the loop has nothing to do any more."""
        if self.due[0] and self._timer is not None:
            self.under_way[0], self.due[0] = False, 0.0
            self._timer.take_back()

    def put_off(self, after_ns: int) -> None:
        """Let the watchdog sleep for so long: nothing more is to do that would be seen to begin."""
        if self._timer is not None:
            self.under_way[0], self.due[0] = False, time.perf_counter() + after_ns / 1e9
            self._timer.set(after_ns)

    def leave(self) -> None:
        """Send for nobody any more."""
        if self._timer is not None:
            self._timer.leave()
