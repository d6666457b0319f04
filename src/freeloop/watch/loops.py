"""The event loops of this process, and the two ways in which one is watched.

asyncio's own loops wait in `selector.select`: a function in its place, on that one selector, notes
when the loop leaves it and comes back. A loop written in C shows no such place: there the watchdog
looks at the top frame, and sends a ping through the loop when it is not idle; while it dozes, a
tripwire wakes it. Neither touches a callback of a loop that works.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from freeloop.watch.alarm import Timer
from freeloop.watch.beat import Beat
from freeloop.watch.clocks import Reading, ThreadClock
from freeloop.watch.looks import Look, Looks
from freeloop.watch.sample import Sample
from freeloop.watch.summons import Summons
from freeloop.watch.tripwire import Tripwire

_ENDED_KEPT, _KEPT, _PAST_KEPT = 64, 16, 3
# In the place of a stretch's start while the loop is inside `select`: there for something to
# happen, or because something is ready and it only looks what else is.
_WAITS, _LOOKS = 0.0, -1.0
_NEVER_NS = 1 << 62


@dataclass(slots=True)
class Seen:
    """What the watchdog saw of one stretch.

    Attributes:
        since_ns: Its start; 0 while the loop waits.
        before: The clocks before it.
        samples: In order.
        reported: Whether it has been reported while it went on.
    """

    since_ns: int
    before: Look
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
        looks: The clocks at the last few looks.
        now: The stretch that goes on.
        past: The few before.
        kept: Times in which the host kept a core from whoever had the interpreter lock: start,
            end, and the loop's own delay, which is counted already.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.thread = threading.get_ident()
        self.clock = ThreadClock(threading.get_native_id())
        self.starting = True
        self.floor = 0
        first = Look(self.clock.read(), time.process_time_ns())
        self.looks = Looks(first)
        self.kept: deque[tuple[int, int, int]] = deque(maxlen=_KEPT)
        self.now = Seen(0, first)
        self.past: deque[Seen] = deque(maxlen=_PAST_KEPT)

    def note(self, reading: Reading, process_ns: int, watchdog_ns: int) -> None:
        """Keep the clocks of a look.

        Args:
            reading: Of the loop's thread.
            process_ns: CPU time of the process.
            watchdog_ns: Run-queue delay of the watchdog so far.
        """
        self.looks.note(Look(reading, process_ns, watchdog_ns))

    def note_own(self) -> None:
        """Keep the clocks of this very moment; called on the loop's own thread."""
        self.looks.note_own(self.clock.read(), time.process_time_ns())

    def begins(self, since_ns: int) -> None:
        """Note that another stretch goes on now, or none; called after the look is noted."""
        self.past.append(self.now)
        self.now = Seen(since_ns, self.looks.before(since_ns))

    def seen(self, since_ns: int) -> Seen:
        """Return what was seen of a stretch; of one that was too quick, the clocks alone."""
        for each in (self.now, *self.past):
            if each.since_ns == since_ns:
                return each
        return Seen(since_ns, self.looks.before(since_ns))

    def samples_of(self, since_ns: int) -> list[Sample]:
        """Return the samples of a stretch."""
        return self.seen(since_ns).samples

    def begun_ns(self) -> int:
        """Return since when the loop has been held; 0 while it waits for something to do."""
        raise NotImplementedError

    def waits(self) -> bool:
        """Return whether nothing is to be done, so that the watchdog may doze."""
        return not self.begun_ns()

    def dozes(self) -> bool:
        """Be told that the watchdog dozes; return whether the next step of a task will wake it.

        A step that a timer brings about need not: `timer_ns` says when.
        """
        return True

    def beats(self) -> bool:
        """Return whether the watchdog is woken soon if the loop is held from now on."""
        return False

    def timer_ns(self) -> int:
        """Return when a timer ends the loop's wait without waking the watchdog."""
        return _NEVER_NS

    def rests(self) -> bool:
        """Return whether the loop is idle at this moment, and nothing that ended is to report."""
        return self.waits()

    def is_idle(self, frame: FrameType | None) -> bool:
        """Return whether the loop runs nothing, with this frame on top of its thread."""
        return frame is None or not self.begun_ns()

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

    def missed(self, since_ns: int, until_ns: int) -> None:
        """Be told that this thread kept the interpreter lock, and nobody saw for what."""

    def leave(self) -> None:
        """Take every hook back."""
        self.clock.close()


class HookedLoop(WatchedLoop):
    """A loop of asyncio's own kind, watched at its selector."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        threshold_ns: int,
        summons: Summons,
        beat_timer: Timer | None,
    ) -> None:
        super().__init__(loop)
        self._summons = summons
        self._beat = Beat(beat_timer, self.note_own, threshold_ns // 2)
        self._selector: Any = loop._selector  # type: ignore[attr-defined]
        self._slot = [time.perf_counter()]
        self._ended: deque[tuple[float, float]] = deque(maxlen=_ENDED_KEPT)
        self._replaced = vars(self._selector).get("select")
        if not summons.waits and hasattr(loop, "_scheduled"):
            # For one of the loop's timers it comes by itself.
            summons.due[0] = math.inf
        self._hook = _hook(
            self._selector.select,
            self._slot,
            self._ended,
            threshold_ns,
            summons,
            self._beat,
            self.note_own,
        )
        self._selector.select = self._hook

    def begun_ns(self) -> int:
        """Return when `select` last returned, 0 inside it."""
        return int(max(self._slot[0], 0.0) * 1e9)

    def waits(self) -> bool:
        """Return whether the loop is in `select` until something happens, and nothing ended."""
        return self._slot[0] == _WAITS and not self._ended

    def dozes(self) -> bool:
        """Let it beat no longer: it wakes the watchdog as soon as it stirs."""
        self._beat.rest()
        return True

    def beats(self) -> bool:
        """Return whether there is a beat that wakes the watchdog when no other follows."""
        return self._beat.is_fresh()

    def timer_ns(self) -> int:
        """Return when asyncio's next timer is due; now, where the loop is late for it."""
        if self._summons.waits:
            return _NEVER_NS
        try:
            left_s = self.loop._scheduled[0]._when - self.loop.time()  # type: ignore[attr-defined]
        except (AttributeError, IndexError):
            return _NEVER_NS
        return time.perf_counter_ns() + max(0, int(left_s * 1e9))

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
        self._summons.leave()
        self._beat.leave()
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
    summons: Summons,
    beat: Beat,
    note: Callable[[], None],
) -> Callable[..., Any]:
    # This runs at every turn of the loop. Floats, because whole nanoseconds are too big for
    # CPython's quick integers; asyncio says with its literal 0 that something is ready. `select`
    # gives the interpreter lock away even then: only two readings of the clock tell a stretch
    # from the wait for that lock.
    clock = time.perf_counter
    threshold_s = threshold_ns / 1e9
    nothing = 0
    dozing, due, waits = summons.dozing, summons.due, summons.waits
    beat_due = beat.due

    def stirs(now: float, events: Any) -> None:
        if not dozing[0]:
            beat.give(now)
            return
        # As it fell asleep, this loop may have been about to beat.
        beat_due[0] = 0.0
        if (events or now > due[0]) and not summons.under_way[0]:
            note()
            summons.send()

    def select(timeout: Any = None) -> Any:
        since = slot[0]
        now = clock()
        if now - since >= threshold_s and since > _WAITS:
            note()
            ended.append((since, now))
        if timeout is nothing:
            slot[0] = _LOOKS
        else:
            slot[0] = _WAITS
            if waits and dozing[0]:
                summons.send_after(now, timeout, note)
            elif waits and due[0]:
                summons.take_back()
        events = inner(timeout)
        slot[0] = now = clock()
        if now >= beat_due[0]:
            stirs(now, events)
        return events

    return select


class PingedLoop(WatchedLoop):
    """Any other loop, watched from outside."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, threshold_ns: int, summons: Summons
    ) -> None:
        super().__init__(loop)
        self._threshold_ns = threshold_ns
        self._tick_ns = threshold_ns // 2
        self._summons = summons
        self._wire = Tripwire(loop, summons, self.note_own)
        self._idle_ns = time.perf_counter_ns()
        self._pinged_ns = 0
        self._answered_ns = 0
        self._begun_ns = 0
        self._missed: list[tuple[int, int]] = []
        # Whoever attaches does so from inside a callback: that one counts from now on.
        self._ping(self._idle_ns, 0)

    def begun_ns(self) -> int:
        """Return about when the loop was left without an answer; 0 while it answers."""
        return self._begun_ns

    def dozes(self) -> bool:
        """Set the wire."""
        return self._wire.set()

    def rests(self) -> bool:
        """Return whether the frame that runs the loop is on top, and no ping is under way."""
        frame = sys._current_frames().get(self.thread)
        if self._pinged_ns or self._missed or not self.is_idle(frame):
            return False
        self._idle_ns = time.perf_counter_ns()
        return True

    def is_idle(self, frame: FrameType | None) -> bool:
        """Return whether it is the frame that runs the loop."""
        return frame is None or id(frame) == self.floor

    def ended(self) -> list[tuple[int, int]]:
        """Return the stretch that an answer has just ended."""
        found, self._missed = self._missed, []
        if self._answered_ns:
            found.append((self._begun_ns, self._answered_ns))
            self._idle_ns = max(self._idle_ns, self._answered_ns)
            self._answered_ns = self._pinged_ns = self._begun_ns = 0
        return [each for each in found if each[1] - each[0] >= self._threshold_ns]

    def missed(self, since_ns: int, until_ns: int) -> None:
        """Keep it for the next look: there was no ping that could tell."""
        self._missed.append((since_ns, until_ns))

    def look(self, frame: FrameType | None, at_ns: int, held_ns: int) -> None:
        """Ping if the loop runs something and no ping is under way."""
        if self.is_idle(frame):
            if not self._pinged_ns:
                self._idle_ns = at_ns
        elif not self._pinged_ns:
            self._ping(at_ns, held_ns)

    def leave(self) -> None:
        """Take the wire away."""
        super().leave()
        self._summons.leave()
        self._wire.take_away()

    def _ping(self, at_ns: int, held_ns: int) -> None:
        self._answered_ns = 0
        self._pinged_ns = at_ns
        # It was idle at the last look, and is not now. Unless the wire says when it woke, half of
        # the time between is as near as can be told; after a long sleep of the watchdog, no more
        # than a tick.
        held_since_ns = at_ns - held_ns
        between_ns = min(max(0, held_since_ns - self._idle_ns), 2 * self._tick_ns)
        if self._idle_ns < self._wire.tripped_ns <= held_since_ns:
            self._begun_ns = self._wire.tripped_ns
        else:
            self._begun_ns = held_since_ns - between_ns // 2
        try:
            self.loop.call_soon_threadsafe(self._answer, context=contextvars.Context())
        except RuntimeError:  # closed a moment ago
            self._pinged_ns = self._begun_ns = 0

    def _answer(self) -> None:
        # On the loop: the frame below is the one that runs it.
        self.floor = id(sys._getframe(1))
        answered_ns = time.perf_counter_ns()
        if answered_ns - self._begun_ns >= self._threshold_ns:
            self.note_own()
        self._answered_ns = answered_ns


def has_selector(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether a loop waits in the `select` of a selector that takes a hook."""
    selector = getattr(loop, "_selector", None)
    return hasattr(selector, "__dict__") and callable(getattr(selector, "select", None))
