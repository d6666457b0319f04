"""The event loops of this process, and the two ways in which one is watched.

asyncio's own loops wait in `selector.select`: a function in its place, on that one selector, notes
when the loop leaves it and comes back. A loop written in C shows no such place: there the watchdog
looks at the top frame, and sends a ping through the loop when it is not idle. Neither touches a
callback.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from freeloop.watch.clocks import Reading, ThreadClock
from freeloop.watch.sample import Sample

_ENDED_KEPT = 64


@dataclass(slots=True)
class Seen:
    """What the watchdog saw of one stretch.

    Attributes:
        since_ns: Its start; 0 while the loop waits.
        before: Clocks of the loop's thread before it.
        before_process_ns: CPU time of the process before it.
        watchdog_ns: Run-queue delay of the watchdog before it.
        samples: In order.
        reported: Whether it has been reported while it went on.
    """

    since_ns: int
    before: Reading
    before_process_ns: int
    watchdog_ns: int = 0
    samples: list[Sample] = field(default_factory=list)
    reported: bool = False


class WatchedLoop:
    """One event loop; made on the loop's own thread, then used by the watchdog alone.

    Attributes:
        loop: The loop.
        thread: Identity of its thread.
        clock: Clocks of its thread.
        starting: Until the first request: what runs then belongs to the start-up.
        floor: Identity of the frame that runs the loop; 0 where it is not needed.
        last: Clocks at the last look.
        last_process_ns: CPU time of the process at the last look.
        now: The stretch that goes on.
        past: The one before.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.thread = threading.get_ident()
        self.clock = ThreadClock(threading.get_native_id())
        self.starting = True
        self.floor = 0
        self.last = self.clock.read()
        self.last_process_ns = time.process_time_ns()
        self.now = self.past = Seen(0, self.last, self.last_process_ns)

    def seen(self, since_ns: int) -> Seen:
        """Return what was seen of a stretch; of one that was too quick, the clocks alone."""
        for each in (self.now, self.past):
            if each.since_ns == since_ns:
                return each
        past = self.past
        return Seen(since_ns, past.before, past.before_process_ns, past.watchdog_ns)

    def samples_of(self, since_ns: int) -> list[Sample]:
        """Return the samples of a stretch."""
        return self.seen(since_ns).samples

    def begun_ns(self) -> int:
        """Return since when the loop has been held; 0 while it waits for something to do."""
        raise NotImplementedError

    def ended(self) -> list[tuple[int, int]]:
        """Return start and end of the stretches over the threshold that ended since last asked."""
        raise NotImplementedError

    def look(self, frame: FrameType | None, at_ns: int, held_ns: int) -> None:
        """Be told what is on top of the loop's thread; called at every tick.

        Args:
            frame: The innermost frame.
            at_ns: Now.
            held_ns: For how long the thread had kept the interpreter lock from the watchdog.
        """

    def leave(self) -> None:
        """Take every hook back."""
        self.clock.close()


class HookedLoop(WatchedLoop):
    """A loop of asyncio's own kind, watched at its selector."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        threshold_ns: int,
        dozing: list[bool],
        wake: Callable[[], None],
    ) -> None:
        super().__init__(loop)
        self._selector: Any = loop._selector  # type: ignore[attr-defined]
        self._slot = [time.perf_counter()]
        self._ended: deque[tuple[float, float]] = deque(maxlen=_ENDED_KEPT)
        self._replaced = vars(self._selector).get("select")
        self._hook = _hook(
            self._selector.select, self._slot, self._ended, threshold_ns, dozing, wake
        )
        self._selector.select = self._hook

    def begun_ns(self) -> int:
        """Return when `select` last returned, 0 inside it."""
        return int(self._slot[0] * 1e9)

    def ended(self) -> list[tuple[int, int]]:
        """Return what the hook noted."""
        found = []
        while self._ended:
            since, until = self._ended.popleft()
            found.append((int(since * 1e9), int(until * 1e9)))
        return found

    def leave(self) -> None:
        """Put back what was there, unless somebody has put theirs over ours since."""
        super().leave()
        if vars(self._selector).get("select") is self._hook:
            if self._replaced is None:
                del self._selector.select
            else:
                self._selector.select = self._replaced


def _hook(
    inner: Callable[..., Any],
    slot: list[float],
    ended: deque[tuple[float, float]],
    threshold_ns: int,
    dozing: list[bool],
    wake: Callable[[], None],
) -> Callable[..., Any]:
    # Floats: whole nanoseconds are too big for CPython's quick integers, and this runs at every
    # turn of the loop (128 ns against 172).
    clock = time.perf_counter
    threshold_s = threshold_ns / 1e9

    def select(timeout: float | None = None) -> Any:
        if clock() - slot[0] >= threshold_s and slot[0]:
            ended.append((slot[0], clock()))
        slot[0] = 0.0
        events = inner(timeout)
        slot[0] = clock()
        if dozing[0]:
            wake()
        return events

    return select


class PingedLoop(WatchedLoop):
    """Any other loop, watched from outside."""

    def __init__(self, loop: asyncio.AbstractEventLoop, threshold_ns: int, tick_ns: int) -> None:
        super().__init__(loop)
        self._threshold_ns = threshold_ns
        self._tick_ns = tick_ns
        self._idle_ns = time.perf_counter_ns()
        self._pinged_ns = 0
        self._answered_ns = 0
        self._begun_ns = 0
        # Whoever attaches does so from inside a callback: that one counts from now on.
        self._ping(self._idle_ns, 0)

    def begun_ns(self) -> int:
        """Return about when the loop was left without an answer; 0 while it answers."""
        return self._begun_ns

    def ended(self) -> list[tuple[int, int]]:
        """Return the stretch that an answer has just ended."""
        answered, begun = self._answered_ns, self._begun_ns
        if not answered:
            return []
        self._answered_ns = self._pinged_ns = self._begun_ns = 0
        self._idle_ns = max(self._idle_ns, answered)
        return [(begun, answered)] if answered - begun >= self._threshold_ns else []

    def look(self, frame: FrameType | None, at_ns: int, held_ns: int) -> None:
        """Ping if the loop runs something and no ping is under way."""
        if frame is None or id(frame) == self.floor:
            if not self._pinged_ns:
                self._idle_ns = at_ns
        elif not self._pinged_ns:
            self._ping(at_ns, held_ns)

    def _ping(self, at_ns: int, held_ns: int) -> None:
        self._answered_ns = 0
        self._pinged_ns = at_ns
        # It was idle at the last look, and is not now: half of the time between is as near as
        # can be told; after a long sleep of the watchdog, no more than a tick.
        held_since_ns = at_ns - held_ns
        between_ns = min(max(0, held_since_ns - self._idle_ns), 2 * self._tick_ns)
        self._begun_ns = held_since_ns - between_ns // 2
        try:
            self.loop.call_soon_threadsafe(self._answer, context=contextvars.Context())
        except RuntimeError:  # closed a moment ago
            self._pinged_ns = self._begun_ns = 0

    def _answer(self) -> None:
        # On the loop: the frame below is the one that runs it.
        self.floor = id(sys._getframe(1))
        self._answered_ns = time.perf_counter_ns()


def has_selector(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether a loop waits in the `select` of a selector that takes a hook."""
    selector = getattr(loop, "_selector", None)
    return hasattr(selector, "__dict__") and callable(getattr(selector, "select", None))
