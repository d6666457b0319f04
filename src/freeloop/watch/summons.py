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


class Summons:
    """Those of one loop, used on its own thread.

    Attributes:
        dozing: Whether the watchdog does.
        waits: Whether the watchdog can sleep through what is over soon.
        under_way: Whether it was sent for, comes later, and nobody has taken that back. Both are
            lists of one, because a hook keeps no `self`.
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
        self._wake = wake
        self._timer = timer
        self._after_ns = after_ns
        self._sent_ns = 0

    def send(self) -> bool:
        """Send for the watchdog; return whether that can still be taken back."""
        now_ns = time.perf_counter_ns()
        apart_ns, self._sent_ns = now_ns - self._sent_ns, now_ns
        if self._timer is None or apart_ns < _APART_NS:
            self._wake()
            return False
        self.under_way[0] = True
        self._timer.set(self._after_ns)
        return True

    def take_back(self) -> None:
        """Let the watchdog sleep: the loop has nothing to do any more."""
        if self.under_way[0] and self._timer is not None:
            self.under_way[0] = False
            self._timer.take_back()

    def leave(self) -> None:
        """Send for nobody any more."""
        if self._timer is not None:
            self._timer.leave()
