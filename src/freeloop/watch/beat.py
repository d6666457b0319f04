"""The beat of a loop that works: while it keeps coming, the watchdog sleeps.

Every few milliseconds a turn of the loop sets a timer on. When none has come for twice as long, the
timer wakes the watchdog: the loop is held, or it is idle.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from freeloop.watch.alarm import Timer


class Beat:
    """That of one loop, given on the loop's own thread; without a timer it reaches nobody.

    Attributes:
        due: When the next one is, `time.perf_counter`. A list of one, because a hook keeps no
            `self`.
    """

    def __init__(self, timer: Timer | None, note: Callable[[], None], missed_after_ns: int) -> None:
        """Keep how.

        Args:
            timer: Wakes the watchdog; None where there is none.
            note: Reads the clocks of the loop's thread.
            missed_after_ns: So long after a beat the next one is missed.
        """
        self.due = [0.0]
        self._timer = timer
        self._note = note
        self._missed_after_ns = missed_after_ns
        self._apart_s = missed_after_ns / 2e9

    def give(self, now_s: float) -> None:
        """Set the timer on."""
        self.due[0] = now_s + self._apart_s
        if self._timer is not None:
            self._timer.set(self._missed_after_ns)
            self._note()

    def is_fresh(self) -> bool:
        """Return whether the timer is still to go off, so that the watchdog may sleep."""
        return self._timer is not None and self._timer.due_ns > time.perf_counter_ns()

    def rest(self) -> None:
        """Do not wake the watchdog: it dozes. The next turn must ask for whom it beats."""
        self.due[0] = 0.0
        if self.is_fresh() and self._timer is not None:
            self._timer.take_back()

    def leave(self) -> None:
        """Wake nobody any more."""
        if self._timer is not None:
            self._timer.leave()
