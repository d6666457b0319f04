"""All kinds of hidden bottlenecks, each looked for as often as it is cheap."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import FrameType

from freeloop.watch.hidden.lost import LostExceptions
from freeloop.watch.hidden.outliving import OutlivingTasks
from freeloop.watch.hidden.pools import PoolWaits
from freeloop.watch.hidden.queues import Queues
from freeloop.watch.loops import WatchedLoop

_EVERY_NS = 50_000_000
# Looks at very many threads or tasks are followed by pauses so many times as long: 1 % at most.
_PAUSE_FACTOR = 100
# A look at few takes as long on a core that has slept, and then a long pause would miss what waits.
_FEW_NS, _FEW_EVERY_NS = 5_000_000, 100_000_000


class Hidden:
    """What the watchdog asks about everything but held loops."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._lost = LostExceptions(wake)
        self._kinds = (Queues(), PoolWaits(), OutlivingTasks())
        self._next_ns = 0
        self._spent_ns = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with a loop, on its own thread."""
        self._lost.attach(loop)

    def detach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take every hook on a loop back."""
        self._lost.detach(loop)

    @property
    def follows(self) -> bool:
        """Whether something goes on that wants another look soon."""
        return any(kind.follows for kind in self._kinds)

    def look(self, loops: list[WatchedLoop], frames: dict[int, FrameType], at_ns: int) -> None:
        """Look once, unless the last look was too short a time ago."""
        if at_ns < self._next_ns:
            return
        before_ns = time.thread_time_ns()
        for kind in self._kinds:
            kind.look(loops, frames, at_ns)
        spent_ns = time.thread_time_ns() - before_ns
        # The shorter of two: a look that was slow once, the first one always, says nothing.
        steady_ns = min(spent_ns, self._spent_ns)
        self._spent_ns = spent_ns
        pause_ns = max(_EVERY_NS, steady_ns * _PAUSE_FACTOR)
        if steady_ns <= _FEW_NS:
            pause_ns = min(pause_ns, _FEW_EVERY_NS)
        self._next_ns = at_ns + pause_ns
