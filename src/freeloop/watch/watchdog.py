"""The one thread that watches every event loop of the process, and sleeps in between.

It starts with the first loop, ends when the last one is closed, and starts anew in a child after a
fork. While nothing runs it dozes: the loop, or the next request, wakes it.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import time
from collections import deque

from freeloop.watch import gc_passes, reports
from freeloop.watch.alarm import Alarm, new_alarm
from freeloop.watch.cause import LOCK_HELD_NS
from freeloop.watch.hidden import never_awaited
from freeloop.watch.hidden.all_kinds import Hidden
from freeloop.watch.lookout import Lookout
from freeloop.watch.loops import HookedLoop, PingedLoop, WatchedLoop, has_selector
from freeloop.watch.origin import in_flight
from freeloop.watch.summons import Summons

_DOZE_NS, _DOZE_BUSY_NS = 30_000_000_000, 50_000_000
# A plain callback of a loop without a hook wakes nobody. Soon after something has happened they are
# more likely than later.
_DOZE_PEEKING_NS, _DOZE_PEEKING_LATER_NS = 50_000_000, 200_000_000
_LATER_NS = 5_000_000_000
# What waits without holding the loop is looked for so often while every loop beats.
_BEATEN_NS = 50_000_000
# Woken more often than that, it waits a moment each time before it dozes again.
_RESTS_APART_NS = 40_000_000
# What wakes an idle loop for a moment is over by then.
_A_TURN_S = 0.0005
_IDLE_LOOKS = 3
_JOIN_S = 2.0


class Watchdog:
    """Use the one of this process: `watchdog`."""

    def __init__(self) -> None:
        self.threshold_ns = 20_000_000
        self.never_awaited = False
        self.loops: dict[asyncio.AbstractEventLoop, WatchedLoop] = {}
        self.hidden = Hidden(self.wake)
        # Read by the loops' hooks at every turn: a list, because a hook keeps no `self`.
        self.dozing = [False]
        self._reset()
        atexit.register(self.stop)
        os.register_at_fork(after_in_child=self._in_child)

    def _reset(self) -> None:
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._alarm = Alarm()
        self._rested_ns = self._busy_ns = 0
        self._stopping = False
        self._departing: deque[tuple[asyncio.AbstractEventLoop, threading.Event]] = deque()
        self.dozing[0] = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> WatchedLoop:
        """Watch the loop that runs in this thread; start the thread if it does not run."""
        with self._starting:
            if self._thread is None and type(self._alarm) is Alarm:
                self._alarm = new_alarm()
        summons = Summons(self.dozing, self.wake, self._alarm.timer(), self.threshold_ns // 2)
        watched: WatchedLoop
        if has_selector(loop):
            watched = HookedLoop(loop, self.threshold_ns, summons, self._alarm.timer())
        else:
            watched = PingedLoop(loop, self.threshold_ns, summons)
        self.hidden.attach(loop)
        self.loops[loop] = watched
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._stopping = False
                self._thread = threading.Thread(
                    target=self._run, name="freeloop watch", daemon=True
                )
                self._thread.start()
        self.wake()
        return watched

    def wake(self) -> None:
        """End the doze; from any thread, never waits."""
        self.dozing[0] = False
        self._alarm.ring()

    def stop(self) -> None:
        """Report what has ended, take every hook back, and end the thread."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            self._stopping = True
            self.wake()
            thread.join(_JOIN_S)
        self._thread = None

    def detach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop watching a loop that has stopped; what it did is reported when this returns."""
        if set(self.loops) <= {loop}:
            self.stop()
            return
        done = threading.Event()
        self._departing.append((loop, done))
        self.wake()
        done.wait(_JOIN_S)

    def _in_child(self) -> None:
        # The thread, what it held and what it was about to say stayed in the parent.
        self._alarm.leave()
        for watched in list(self.loops.values()):
            watched.leave()
        self.loops.clear()
        in_flight.clear()
        reports.forget()
        self.hidden = Hidden(self.wake)
        self._reset()

    def _run(self) -> None:
        lookout = Lookout(self.threshold_ns, self.hidden)
        self._alarm.late = lambda: lookout.glance(list(self.loops.values()))
        gc_passes.start()
        if self.never_awaited:
            never_awaited.start()
        try:
            while self._goes_on():
                self._sleep(lookout)
        finally:
            never_awaited.stop()
            gc_passes.stop()
            lookout.close(self._ending)
            reports.hand_on()
            while self._departing:
                self._departing.popleft()[1].set()

    def _goes_on(self) -> bool:
        """Return whether there is something to watch; if not, a loop from now on starts anew."""
        with self._starting:
            if self.loops and not self._stopping:
                return True
            self._ending = dict(self.loops)
            self.loops.clear()
            self._thread = None
            return False

    def _sleep(self, lookout: Lookout) -> None:
        """Sleep, then look."""
        if self._may_doze(lookout) and self._dozes():
            due_ns, woken = self._doze(lookout)
        else:
            self.dozing[0] = False
            pause_ns = self._pause_ns(lookout)
            due_ns, woken = self._alarm.wait(lookout.looked_ns + pause_ns, least_ns=pause_ns // 2)
        if woken:
            lookout.idle_looks = 0
            due_ns = self._after_waking(lookout, due_ns)
            if self._rests_again(lookout, due_ns, apart_ns=0):
                return
        self.dozing[0] = False
        leaving = [self._departing.popleft() for _ in range(len(self._departing))]
        try:
            lookout.look(self.loops, due_ns)
        except Exception:
            # The application must never notice; the count shows it to whoever asks.
            reports.counts.own_errors += 1
        reports.hand_on()
        for loop, done in leaving:
            if (watched := self.loops.pop(loop, None)) is not None:
                self.hidden.detach(loop)
                watched.leave()
            done.set()

    def _doze(self, lookout: Lookout) -> tuple[int, bool]:
        """Doze on while all that happens are turns of an idle loop; return as `Alarm.wait` does."""
        while True:
            due_ns = max(lookout.looked_ns, self._rested_ns) + self._doze_ns()
            for each in list(self.loops.values()):
                due_ns = min(due_ns, each.timer_ns() + self.threshold_ns // 2)
            due_ns, woken = self._alarm.wait(due_ns, least_ns=self.threshold_ns // 2)
            apart_ns = _RESTS_APART_NS if woken else 0
            if not self._rests_again(lookout, due_ns, apart_ns):
                return due_ns, woken

    def _after_waking(self, lookout: Lookout, woken_ns: int) -> int:
        """Give what has just begun a moment, so that a loop at full load cannot wake us for ever.

        Unless the interpreter lock has already been held for as long: then the look is due.
        """
        due_ns = woken_ns + self.threshold_ns // 2
        left_ns = due_ns - time.perf_counter_ns()
        if self._stopping or left_ns <= 0:
            return woken_ns
        lookout.begin(self.loops)
        self._alarm.wait(due_ns)
        return due_ns

    def _rests_again(self, lookout: Lookout, due_ns: int, apart_ns: int) -> bool:
        """Return whether what woke us was a turn of an idle loop, and is over: we doze again.

        Servers wake their loop ten times a second, for nothing.

        Args:
            lookout: Every so often it looks all the same.
            due_ns: When we should have come; if we come late, there may be something to see.
            apart_ns: Since the last such rest; where every turn wakes us, we would not sleep.
        """
        now_ns = time.perf_counter_ns()
        if (
            now_ns - lookout.looked_ns >= _DOZE_NS
            or now_ns - self._rested_ns < apart_ns
            or now_ns - due_ns >= LOCK_HELD_NS
            or in_flight
            or self.hidden.follows
            or self._departing
            or self._stopping
            or not (self._dozes() or self._dozes(after_s=_A_TURN_S))
        ):
            return False
        self._rested_ns = now_ns
        lookout.idle_looks += 1
        reports.hand_on()
        return True

    def _dozes(self, after_s: float = 0.0) -> bool:
        """Have every loop wake us at its next turn; return False if one has just had it."""
        if after_s:
            due_ns = time.perf_counter_ns() + int(after_s * 1e9)
            time.sleep(after_s)
            if self._alarm.came(due_ns):
                return False
        self.dozing[0] = True
        for each in list(self.loops.values()):
            each.dozes()
            # A loop that came back just before did not see that it should wake us.
            if not each.rests():
                self.dozing[0] = False
                return False
        return True

    def _may_doze(self, lookout: Lookout) -> bool:
        """Return whether nothing goes on that must be looked at while it does."""
        if in_flight or self.hidden.follows or lookout.suspicious:
            self._busy_ns = time.perf_counter_ns()
        if lookout.suspicious or (in_flight and self._is_pinged()):
            return False
        return lookout.idle_looks >= (_IDLE_LOOKS if in_flight else 1)

    def _doze_ns(self) -> int:
        """Return how long to doze if nobody wakes us."""
        loops = list(self.loops.values())
        if self._is_pinged():
            quiet_ns = time.perf_counter_ns() - self._busy_ns
            later = quiet_ns >= _LATER_NS and all(each.dozes() for each in loops)
            if not later:
                return _DOZE_PEEKING_NS
            # With timers the tripwire leaves one behind.
            return _DOZE_PEEKING_LATER_NS if type(self._alarm) is Alarm else _DOZE_NS
        return _DOZE_BUSY_NS if in_flight or self.hidden.follows else _DOZE_NS

    def _pause_ns(self, lookout: Lookout) -> int:
        """Return how long to sleep awake."""
        if lookout.suspicious:
            return self.threshold_ns // 4
        loops = list(self.loops.values())
        if loops and all(each.beats() for each in loops):
            return _BEATEN_NS
        return self.threshold_ns // 2

    def _is_pinged(self) -> bool:
        return any(isinstance(each, PingedLoop) for each in list(self.loops.values()))


watchdog = Watchdog()
