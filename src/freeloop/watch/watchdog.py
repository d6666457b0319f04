"""The one thread that watches every event loop of the process, and sleeps in between.

It starts with the first loop, ends when the last one is closed, and starts anew in a child after a
fork. While nothing runs it dozes: the loop, or the next request, wakes it.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
import time
from types import FrameType

from freeloop.watch import gc_passes, reports
from freeloop.watch.cause import LOCK_HELD_NS
from freeloop.watch.clocks import ThreadClock
from freeloop.watch.hidden import never_awaited
from freeloop.watch.hidden.all_kinds import Hidden
from freeloop.watch.loops import HookedLoop, PingedLoop, WatchedLoop, has_selector
from freeloop.watch.origin import in_flight
from freeloop.watch.sample import take
from freeloop.watch.threads import ThreadClocks
from freeloop.watch.verdict import held_by_other, of_stretch

_SCAN_NS = 500_000_000
# A stretch that goes on for so long is reported while it does: it may never end.
_ENDLESS_NS = 10_000_000_000
_DOZE_S, _DOZE_WITH_REQUESTS_S, _DOZE_WITH_PINGS_S = 1.0, 0.1, 0.05
_IDLE_TICKS = 3
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
        self._alarm = threading.Lock()
        self._alarm.acquire()
        self._woken_ns = 0
        self._stopping = False
        self.dozing[0] = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> WatchedLoop:
        """Watch the loop that runs in this thread; start the thread if it does not run."""
        if has_selector(loop):
            watched: WatchedLoop = HookedLoop(loop, self.threshold_ns, self.dozing, self.wake)
        else:
            watched = PingedLoop(loop, self.threshold_ns, self.threshold_ns // 2)
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
        self._woken_ns = time.perf_counter_ns()
        if self._alarm.locked():
            try:
                self._alarm.release()
            except RuntimeError:  # another loop was faster
                return

    def stop(self) -> None:
        """Report what has ended, take every hook back, and end the thread."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            self._stopping = True
            self.wake()
            thread.join(_JOIN_S)
        self._thread = None

    def _in_child(self) -> None:
        # The thread, what it held and what it was about to say stayed in the parent.
        for watched in list(self.loops.values()):
            watched.leave()
        self.loops.clear()
        in_flight.clear()
        reports.forget()
        self.hidden = Hidden(self.wake)
        self._reset()

    def _run(self) -> None:
        self._own = ThreadClock(threading.get_native_id())
        self._own_delay_ns = self._own.read().delay_ns
        self._process_ns = time.process_time_ns()
        self._clocks = ThreadClocks()
        self._scanned_ns = 0
        self._idle_ticks = 0
        self._suspicious = True
        gc_passes.start()
        if self.never_awaited:
            never_awaited.start()
        try:
            while self.loops and not self._stopping:
                pause_s = self._pause_s()
                due_ns = time.perf_counter_ns() + int(pause_s * 1e9)
                woken = self._alarm.acquire(timeout=pause_s)
                now_ns = time.perf_counter_ns()
                late_ns = max(0, now_ns - (min(due_ns, self._woken_ns) if woken else due_ns))
                self.dozing[0] = False
                self._guarded_tick(now_ns, late_ns)
        finally:
            self._leave_all()

    def _leave_all(self) -> None:
        gc_passes.stop()
        for watched in list(self.loops.values()):
            self._finish_ended(watched)
            self.hidden.detach(watched.loop)
            watched.leave()
        self.loops.clear()
        never_awaited.stop()
        reports.hand_on()
        self._own.close()

    def _pause_s(self) -> float:
        threshold_s = self.threshold_ns / 1e9
        if self._suspicious:
            return threshold_s / 4
        if self._idle_ticks < (_IDLE_TICKS if in_flight else 1):
            return threshold_s / 2
        pinged = any(isinstance(each, PingedLoop) for each in self.loops.values())
        if pinged and in_flight:
            return threshold_s / 2
        self.dozing[0] = True
        if pinged:
            return _DOZE_WITH_PINGS_S
        return _DOZE_WITH_REQUESTS_S if in_flight or self.hidden.follows else _DOZE_S

    def _guarded_tick(self, now_ns: int, late_ns: int) -> None:
        try:
            self._tick(now_ns, late_ns)
        except Exception:
            # The application must never notice; the count shows it to whoever asks.
            reports.counts.own_errors += 1
        reports.hand_on()

    def _tick(self, now_ns: int, late_ns: int) -> None:
        own_delay_ns, process_ns = self._own.read().delay_ns, time.process_time_ns()
        frames = sys._current_frames()
        for watched in list(self.loops.values()):
            if watched.loop.is_closed():
                self._finish_ended(watched)
                self.hidden.detach(watched.loop)
                watched.leave()
                del self.loops[watched.loop]
        readings = {watched: watched.clock.read() for watched in self.loops.values()}
        loops_delay_ns = max(
            (reading.delay_ns - watched.last.delay_ns for watched, reading in readings.items()),
            default=0,
        )
        # Late, and not for want of a core: somebody held the interpreter lock.
        lock_ns = late_ns - max(own_delay_ns - self._own_delay_ns, loops_delay_ns, 0)
        lock_ns = lock_ns if lock_ns >= LOCK_HELD_NS else 0
        used_ns = process_ns - self._process_ns
        self._own_delay_ns, self._process_ns = own_delay_ns, process_ns

        self._suspicious = False
        covered = False
        for watched, reading in readings.items():
            frame = frames.get(watched.thread)
            loop_cpu_ns = reading.cpu_ns - watched.last.cpu_ns
            # Somebody else used the cores while the lock was held, and this loop did not.
            elsewhere = loop_cpu_ns * 2 < lock_ns <= (used_ns - loop_cpu_ns) * 2
            self._finish_ended(watched, told=elsewhere and lock_ns >= self.threshold_ns)
            watched.look(frame, now_ns, 0 if elsewhere else lock_ns)
            since_ns = watched.begun_ns()
            if since_ns != watched.since_ns:
                watched.since_ns, watched.samples, watched.reported = since_ns, [], False
                watched.before, watched.before_process_ns = watched.last, watched.last_process_ns
            watched.last, watched.last_process_ns = reading, process_ns
            if since_ns and frame is not None:
                covered = covered or since_ns <= now_ns - lock_ns // 2
                blamed = self._busiest(frames)[0] if elsewhere and lock_ns else ()
                self._look_closer(watched, frame, now_ns, lock_ns, blamed)
        if lock_ns >= self.threshold_ns and not covered:
            self._held_by_other(frames, lock_ns, used_ns)
        idle = not any(watched.begun_ns() for watched in self.loops.values())
        self._idle_ticks = self._idle_ticks + 1 if idle else 0
        if now_ns - self._scanned_ns >= _SCAN_NS and not idle:
            self._scanned_ns = now_ns
            self._clocks.scan()
        self.hidden.look(list(self.loops.values()), frames, now_ns)

    def _look_closer(
        self,
        watched: WatchedLoop,
        frame: FrameType,
        now_ns: int,
        lock_ns: int,
        blamed: tuple[tuple[str, int, str], ...],
    ) -> None:
        age_ns = now_ns - watched.since_ns
        if age_ns < self.threshold_ns // 4:
            return
        self._suspicious = True
        if age_ns * 5 < self.threshold_ns * 2 and not lock_ns:
            return
        sample = take(
            frame, watched.loop, now_ns, floor=watched.floor, lock_ns=lock_ns, blamed=blamed
        )
        # A stretch of many seconds is not worth a sample every five milliseconds.
        if sample is not None and len(watched.samples) < 400:
            watched.samples.append(sample)
        if age_ns >= _ENDLESS_NS and not watched.reported:
            watched.reported = True
            self._report(watched, watched.since_ns, now_ns)

    def _finish_ended(self, watched: WatchedLoop, *, told: bool = False) -> None:
        """Report the stretches that have ended.

        Args:
            watched: Their loop.
            told: Another thread held the lock meanwhile: where no sample tells more, the report
                about that thread is the one.
        """
        for since_ns, end_ns in watched.ended():
            seen = watched.since_ns == since_ns
            if (seen and watched.reported) or (told and not (seen and watched.samples)):
                continue
            self._report(watched, since_ns, end_ns)

    def _report(self, watched: WatchedLoop, since_ns: int, end_ns: int) -> None:
        stretch = of_stretch(watched, since_ns, end_ns, self.threshold_ns)
        if stretch is not None:
            reports.post(stretch)

    def _busiest(
        self, frames: dict[int, FrameType]
    ) -> tuple[tuple[tuple[str, int, str], ...], int, int]:
        own = {watched.thread for watched in self.loops.values()} | {threading.get_ident()}
        return self._clocks.busiest(frames, own)

    def _held_by_other(self, frames: dict[int, FrameType], lock_ns: int, used_ns: int) -> None:
        stack, _, delay_ns = self._busiest(frames)
        # Little CPU time: the holder slept with the lock, unless it was kept from a core itself.
        starved = used_ns * 2 < lock_ns and delay_ns * 3 >= lock_ns
        if stack and not starved:
            loops = [
                frame
                for watched in self.loops.values()
                if (frame := frames.get(watched.thread)) is not None
            ]
            reports.post(held_by_other(stack, lock_ns, loops))


watchdog = Watchdog()
