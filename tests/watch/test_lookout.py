"""One look, where the interpreter lock is lost in the middle of it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from freeloop.watch.clocks import Reading
from freeloop.watch.hidden.all_kinds import Hidden
from freeloop.watch.lookout import Lookout
from freeloop.watch.looks import Look, Looks
from freeloop.watch.loops import WatchedLoop

HELD_S = 0.06
THRESHOLD_NS = 20_000_000


class LateClock:
    """A clock that was read just before the loop's thread took the lock, and came back after."""

    def __init__(self) -> None:
        self._cpu_ns = 0

    def read(self) -> Reading:
        """Return what was true before the wait."""
        before_ns, self._cpu_ns = self._cpu_ns, int(HELD_S * 1e9)
        if not before_ns:
            time.sleep(HELD_S)
        return Reading(time.perf_counter_ns(), before_ns, 0)

    def close(self) -> None:
        """Nothing to close."""


class IdleLoop(WatchedLoop):
    """A loop that shows nothing of what it did, as one written in C."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.clock.close()
        clock: Any = LateClock()
        self.clock = clock
        self.looks = Looks(Look(Reading(time.perf_counter_ns(), 0, 0), time.process_time_ns()))
        self.told: list[tuple[int, int]] = []

    def begun_ns(self) -> int:
        """It waits."""
        return 0

    def ended(self) -> list[tuple[int, int]]:
        """Nothing that it knows of."""
        return []

    def missed(self, since_ns: int, until_ns: int) -> None:
        """Keep what the watch says that it missed."""
        self.told.append((since_ns, until_ns))


def test_a_lock_that_was_taken_while_a_clock_was_read_is_not_missed() -> None:
    """Seen in a soak on uvloop: one call in C of some hundreds left no trace."""
    loop = asyncio.new_event_loop()
    try:
        watched = IdleLoop(loop)
        lookout = Lookout(THRESHOLD_NS, Hidden(lambda: None))

        lookout.look({loop: watched}, due_ns=time.perf_counter_ns())
    finally:
        loop.close()

    [(since_ns, until_ns)] = watched.told
    assert until_ns - since_ns > HELD_S * 1e9 / 2
