"""One look at every loop of the process, and what is reported of it.

The order matters. Reading a clock gives the interpreter lock away, and a thread that waited for it
goes on at once: so all clocks are read first, then every stack is read in one go, and only then is
anything decided.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from dataclasses import replace
from itertools import pairwise
from types import FrameType

from freeloop.watch import reports
from freeloop.watch.cause import LOCK_HELD_NS
from freeloop.watch.clocks import Reading, ThreadClock
from freeloop.watch.hidden.all_kinds import Hidden
from freeloop.watch.hidden.relieved import relieved_layer
from freeloop.watch.loops import WatchedLoop
from freeloop.watch.sample import take
from freeloop.watch.stretch import Frame, Kind, is_project
from freeloop.watch.threads import Suspects
from freeloop.watch.verdict import held_by_other, of_stretch

_SCAN_NS = 500_000_000
# A stretch that goes on for so long is reported while it does: it may never end.
_ENDLESS_NS = 10_000_000_000
_MOST_SAMPLES = 400
_MOST_READINGS = 3

Stack = tuple[Frame, ...]


class Lookout:
    """Lives in the watchdog's thread.

    Attributes:
        suspicious: A loop has been held for a while: look again soon.
        idle_looks: How often in a row every loop was waiting.
        looked_ns: When the stacks were read last.
    """

    def __init__(self, threshold_ns: int, hidden: Hidden) -> None:
        self._threshold_ns = threshold_ns
        self._hidden = hidden
        self._clock = ThreadClock(threading.get_native_id())
        self._own = self._clock.read()
        self._process_ns = time.process_time_ns()
        self._suspects = Suspects()
        self._scanned_ns = 0
        self.suspicious = True
        self.idle_looks = 0
        self.looked_ns = self._own.at_ns

    def look(self, loops: dict[asyncio.AbstractEventLoop, WatchedLoop], due_ns: int) -> None:
        """Look once.

        Args:
            loops: All of them; those that were closed are taken out.
            due_ns: When this look should have come, had nobody kept the watchdog from it.
        """
        watched_loops = list(loops.values())
        own, process_ns, readings, now_ns = self._read(watched_loops)
        frames = sys._current_frames()
        # From here to the end of the loop below nothing may give the lock away.
        late_ns = now_ns - due_ns
        delays_ns = [
            reading.delay_ns - watched.last.delay_ns
            for watched, reading in zip(watched_loops, readings, strict=True)
        ]
        lock_ns = self._lock_ns(late_ns, own, delays_ns)
        used_ns = process_ns - self._process_ns
        self._own = own
        self._process_ns, self.looked_ns = process_ns, now_ns
        others = self._others(watched_loops, frames) if lock_ns else []
        self.suspicious = False
        ended, covered, elsewhere = [], False, bool(lock_ns)
        for watched, reading in zip(watched_loops, readings, strict=True):
            loop_cpu_ns = reading.cpu_ns - watched.last.cpu_ns
            # Somebody else used the cores while the lock was held, and this loop did not.
            others_did = loop_cpu_ns * 2 < lock_ns <= (used_ns - loop_cpu_ns) * 2
            elsewhere = elsewhere and others_did
            own_ended = watched.ended()
            ended += [(watched, *stretch) for stretch in own_ended]
            frame = frames.get(watched.thread)
            held_ns = late_ns if lock_ns and not others_did else 0
            watched.look(frame, now_ns, held_ns)
            blamed = _first_of_project(others) if others_did else ()
            # Before the look itself: what has just begun is measured from between the two.
            watched.note(reading, process_ns, own.delay_ns)
            covered |= self._look_at(watched, frame, now_ns, lock_ns, blamed)
            if loop_cpu_ns * 2 >= lock_ns > 0:
                # The loop's own thread had the lock, and another one was quicker than we.
                covered = True
                if not own_ended and not watched.begun_ns():
                    watched.missed(now_ns - lock_ns, now_ns)

        if lock_ns > used_ns * 2 and self._excuses(watched_loops, delays_ns, due_ns, lock_ns):
            lock_ns = 0
        culprit: Stack = ()
        if lock_ns >= self._threshold_ns and not covered:
            culprit = self._suspects.busiest(others, asleep_ns=lock_ns - used_ns * 2)
            if culprit:
                reports.post(held_by_other(culprit, lock_ns, watched_loops))
        for watched, since_ns, end_ns in ended:
            # Where no sample tells more, the report about the other thread is the one.
            if not (culprit and elsewhere and not watched.samples_of(since_ns)):
                self._report(watched, since_ns, end_ns)
        self._report_endless(watched_loops, now_ns)
        self._take_out_closed(loops)
        idle = all(watched.waits() for watched in watched_loops)
        self.idle_looks = self.idle_looks + 1 if idle else 0
        if not idle and now_ns - self._scanned_ns >= _SCAN_NS:
            self._scanned_ns = now_ns
            self._suspects.scan()
        self._hidden.look(watched_loops, frames, now_ns)

    def _read(self, loops: list[WatchedLoop]) -> tuple[Reading, int, list[Reading], int]:
        """Return the clocks of the watchdog, the process and the loops' threads, and when it is."""
        for _ in range(_MOST_READINGS):
            own, process_ns = self._clock.read(), time.process_time_ns()
            readings = [watched.clock.read() for watched in loops]
            now_ns = time.perf_counter_ns()
            moments = [own.at_ns, *(each.at_ns for each in readings), now_ns]
            # Who took the lock while one clock was read used the core after that.
            if all(later - earlier < LOCK_HELD_NS for earlier, later in pairwise(moments)):
                break
        return own, process_ns, readings, now_ns

    def begin(self, loops: dict[asyncio.AbstractEventLoop, WatchedLoop]) -> None:
        """Read the clocks alone: what has just begun is measured from here."""
        self._own = self._clock.read()
        self._process_ns = time.process_time_ns()
        for watched in list(loops.values()):
            watched.note(watched.clock.read(), self._process_ns, self._own.delay_ns)

    def close(self, loops: dict[asyncio.AbstractEventLoop, WatchedLoop]) -> None:
        """Report what has ended, and take every hook back."""
        self.begin(loops)
        for watched in list(loops.values()):
            for since_ns, end_ns in watched.ended():
                self._report(watched, since_ns, end_ns)
            self._hidden.detach(watched.loop)
            watched.leave()
        loops.clear()
        self._clock.close()

    def _lock_ns(self, late_ns: int, own: Reading, delays_ns: list[int]) -> int:
        """Return how long somebody kept the interpreter lock from us; 0 if not for long.

        Late, and not for want of a core: neither ours, nor one for the loop that had the lock.
        """
        own_ns = own.delay_ns - self._own.delay_ns
        working_ns = own.cpu_ns - self._own.cpu_ns
        lock_ns = late_ns - working_ns - max([own_ns, *delays_ns, 0])
        return lock_ns if lock_ns >= LOCK_HELD_NS else 0

    def _excuses(
        self, loops: list[WatchedLoop], delays_ns: list[int], due_ns: int, lock_ns: int
    ) -> bool:
        """Return whether nobody is to blame for the lock, because the host gave its holder no core.

        Nobody used one meanwhile: either the holder slept, or it was kept from one. In doubt the
        latter.
        """
        own = {watched.thread for watched in loops} | {threading.get_ident()}
        if self._suspects.starved_ns(own) * 2 < lock_ns:
            return False
        for watched, delay_ns in zip(loops, delays_ns, strict=True):
            watched.kept.append((due_ns, self.looked_ns, delay_ns))
            samples = watched.now.samples
            if samples and samples[-1].at_ns == self.looked_ns:
                samples[-1] = replace(samples[-1], lock_ns=0, blamed=())
        return True

    def _others(
        self, loops: list[WatchedLoop], frames: dict[int, FrameType]
    ) -> list[tuple[threading.Thread, Stack]]:
        own = {watched.thread for watched in loops} | {threading.get_ident()}
        return self._suspects.at_work(frames, own)

    def _look_at(
        self,
        watched: WatchedLoop,
        frame: FrameType | None,
        now_ns: int,
        lock_ns: int,
        blamed: Stack,
    ) -> bool:
        """Take a sample if the loop has been held for a while; return whether it held the lock."""
        since_ns = watched.begun_ns()
        if since_ns != watched.now.since_ns:
            watched.begins(since_ns)
        if not since_ns or frame is None:
            return False
        age_ns = now_ns - since_ns
        self.suspicious |= age_ns * 4 >= self._threshold_ns
        if age_ns * 5 >= self._threshold_ns * 2 or lock_ns:
            sample = take(
                frame,
                watched.loop,
                now_ns,
                floor=watched.floor,
                lock_ns=lock_ns,
                blamed=blamed,
            )
            if sample is not None and len(watched.now.samples) < _MOST_SAMPLES:
                watched.now.samples.append(sample)
        return age_ns * 2 >= lock_ns

    def _report_endless(self, loops: list[WatchedLoop], now_ns: int) -> None:
        for watched in loops:
            now = watched.now
            if now.since_ns and now_ns - now.since_ns >= _ENDLESS_NS and not now.reported:
                self._report(watched, now.since_ns, now_ns)
                now.reported = True

    def _report(self, watched: WatchedLoop, since_ns: int, end_ns: int) -> None:
        stretch = of_stretch(watched, since_ns, end_ns, self._threshold_ns)
        if stretch is not None:
            reports.post(stretch)
            layer = relieved_layer(stretch) if stretch.kind is Kind.BLOCK else None
            if layer is not None:
                reports.post(layer)

    def _take_out_closed(self, loops: dict[asyncio.AbstractEventLoop, WatchedLoop]) -> None:
        for watched in list(loops.values()):
            if watched.loop.is_closed():
                for since_ns, end_ns in watched.ended():
                    self._report(watched, since_ns, end_ns)
                self._hidden.detach(watched.loop)
                watched.leave()
                del loops[watched.loop]


def _first_of_project(
    others: list[tuple[threading.Thread, tuple[Frame, ...]]],
) -> tuple[Frame, ...]:
    stacks = [stack for _, stack in others]
    for stack in stacks:
        if any(is_project(file) for file, _, _ in stack):
            return stack
    return stacks[0] if stacks else ()
