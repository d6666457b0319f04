"""One look at every loop of the process, and what is reported of it.

The order matters. Reading a clock gives the interpreter lock away, and a thread that waited for it
goes on at once: so all clocks are read first, then every stack is read in one go, and only then is
anything decided. Who comes late glances at the stacks before that: a thread that kept the lock
still stands where it did.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from types import FrameType

from freeloop.watch import reports
from freeloop.watch.cause import LOCK_HELD_NS
from freeloop.watch.clocks import Reading, ThreadClock
from freeloop.watch.hidden.all_kinds import Hidden
from freeloop.watch.hidden.relieved import relieved_layer
from freeloop.watch.looks import Look
from freeloop.watch.loops import WatchedLoop
from freeloop.watch.sample import Sample, take
from freeloop.watch.stretch import Frame, Kind, is_project
from freeloop.watch.threads import Suspects
from freeloop.watch.verdict import held_by_other, of_stretch

_SCAN_NS = 500_000_000
# A stretch that goes on for so long is reported while it does: it may never end.
_ENDLESS_NS = 10_000_000_000
_MOST_SAMPLES = 400
_MOST_READINGS = 3

_NOTHING = Look(Reading(0, 0, 0), 0)

Stack = tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Glance:
    """What the stacks showed as the watchdog came late.

    Attributes:
        samples: By loop: start of its stretch (0 where it shows none), and what it ran.
        others: The other threads at work, with their stacks.
    """

    samples: dict[WatchedLoop, tuple[int, Sample]]
    others: list[tuple[threading.Thread, Stack]]


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
        self._glance: Glance | None = None
        self._scanned_ns = 0
        self.suspicious = True
        self.idle_looks = 0
        self.looked_ns = self._own.at_ns

    def glance(self, loops: list[WatchedLoop]) -> None:
        """Read the stacks alone, for the look that follows."""
        if self._glance is not None:
            return
        now_ns = time.perf_counter_ns()
        frames = sys._current_frames()
        samples = {}
        for watched in loops:
            frame = frames.get(watched.thread)
            if frame is None or watched.is_idle(frame):
                continue
            sample = take(frame, watched.loop, now_ns, floor=watched.floor)
            if sample is not None:
                samples[watched] = watched.begun_ns(), sample
        self._glance = Glance(samples, self._others(loops, frames))

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
        # A timer that went off before the last look tells of what that look has seen.
        due_ns = max(due_ns, self.looked_ns)
        late_ns = now_ns - due_ns
        in_time = late_ns < LOCK_HELD_NS
        gone = [
            _NOTHING if in_time else _gone(watched, reading, process_ns, due_ns)
            for watched, reading in zip(watched_loops, readings, strict=True)
        ]
        delays_ns = [each.reading.delay_ns for each in gone]
        lock_ns = self._lock_ns(late_ns, own, delays_ns)
        used_ns = min([process_ns - self._process_ns, *(each.process_ns for each in gone)])
        self._own = own
        self._process_ns, self.looked_ns = process_ns, now_ns
        glance = self._glanced(watched_loops, frames, lock_ns)
        self.suspicious = False
        ended, covered, elsewhere = [], False, bool(lock_ns)
        for watched, reading, meanwhile in zip(watched_loops, readings, gone, strict=True):
            loop_cpu_ns = meanwhile.reading.cpu_ns
            # Somebody else used the cores while the lock was held, and this loop did not.
            others_did = loop_cpu_ns * 2 < lock_ns <= (meanwhile.process_ns - loop_cpu_ns) * 2
            elsewhere = elsewhere and others_did
            own_ended = watched.ended()
            ended += [(watched, *stretch) for stretch in own_ended]
            frame = frames.get(watched.thread)
            held_ns = late_ns if lock_ns and not others_did else 0
            watched.look(frame, now_ns, held_ns)
            blamed = _first_of_project(glance.others) if others_did else ()
            # Before the look itself: what has just begun is measured from between the two.
            watched.note(reading, process_ns, own.delay_ns)
            had_it = loop_cpu_ns * 2 >= lock_ns > 0
            if (glanced := glance.samples.get(watched)) is not None:
                # Without a start of its own it was on its way when the lock was let go.
                had_it |= not glanced[0] and not others_did
                covered |= self._keep(watched, glanced, now_ns, lock_ns, blamed)
            covered |= self._look_at(watched, frame, now_ns, lock_ns, blamed)
            if had_it:
                # The loop's own thread had the lock, and another one was quicker than we.
                covered = True
                if not own_ended and not watched.begun_ns():
                    watched.missed(now_ns - lock_ns, now_ns)

        kept = bool(lock_ns)
        if kept and self._excuses(watched_loops, delays_ns, due_ns, lock_ns, used_ns):
            lock_ns = 0
        culprit = () if covered else self._culprit(watched_loops, glance.others, lock_ns, used_ns)
        for watched, since_ns, end_ns in ended:
            # Where no sample tells more, the report about the other thread is the one.
            if not (culprit and elsewhere and not watched.samples_of(since_ns)):
                self._report(watched, since_ns, end_ns)
        self._report_endless(watched_loops, now_ns)
        self._take_out_closed(loops)
        self._scan(now_ns, idle=all(watched.waits() for watched in watched_loops), anew=kept)
        self._hidden.look(watched_loops, frames, now_ns)

    def _scan(self, now_ns: int, *, idle: bool, anew: bool) -> None:
        self.idle_looks = self.idle_looks + 1 if idle else 0
        # What the threads were kept from a core while the lock was held is not counted again.
        if anew or (not idle and now_ns - self._scanned_ns >= _SCAN_NS):
            self._scanned_ns = now_ns
            self._suspects.scan()

    def _culprit(
        self,
        loops: list[WatchedLoop],
        others: list[tuple[threading.Thread, Stack]],
        lock_ns: int,
        used_ns: int,
    ) -> Stack:
        """Report the other thread that kept the lock, and return its stack; empty if none did."""
        if lock_ns < self._threshold_ns:
            return ()
        asleep_ns = lock_ns - used_ns * 2
        stack, net_ns = self._suspects.busiest(others, lock_ns=lock_ns, asleep_ns=asleep_ns)
        if net_ns < self._threshold_ns:
            return ()
        reports.post(held_by_other(stack, net_ns, loops))
        return stack

    def _glanced(
        self, loops: list[WatchedLoop], frames: dict[int, FrameType], lock_ns: int
    ) -> Glance:
        """Return what there was to see as the lock was let go, if somebody kept it."""
        glance, self._glance = self._glance, None
        if not lock_ns:
            return Glance({}, [])
        return glance or Glance({}, self._others(loops, frames))

    def _read(self, loops: list[WatchedLoop]) -> tuple[Reading, int, list[Reading], int]:
        """Return the clocks of the watchdog, the process and the loops' threads, and when it is."""
        for _ in range(_MOST_READINGS):
            own, process_ns = self._reading(self._clock, loops), time.process_time_ns()
            readings = [self._reading(watched.clock, loops) for watched in loops]
            now_ns = time.perf_counter_ns()
            moments = [own.at_ns, *(each.at_ns for each in readings), now_ns]
            # Who took the lock while one clock was read used the core after that.
            if all(later - earlier < LOCK_HELD_NS for earlier, later in pairwise(moments)):
                break
        return own, process_ns, readings, now_ns

    def begin(self, loops: dict[asyncio.AbstractEventLoop, WatchedLoop]) -> None:
        """Read the clocks alone: what has just begun is measured from here."""
        watched_loops = list(loops.values())
        self._own = self._reading(self._clock, watched_loops)
        self._process_ns = time.process_time_ns()
        for watched in watched_loops:
            reading = self._reading(watched.clock, watched_loops)
            watched.note(reading, self._process_ns, self._own.delay_ns)

    def _reading(self, clock: ThreadClock, loops: list[WatchedLoop]) -> Reading:
        before_ns = time.perf_counter_ns()
        reading = clock.read()
        if time.perf_counter_ns() - before_ns >= LOCK_HELD_NS:
            self.glance(loops)
        return reading

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
        self,
        loops: list[WatchedLoop],
        delays_ns: list[int],
        due_ns: int,
        lock_ns: int,
        used_ns: int,
    ) -> bool:
        """Return whether nobody is to blame for the lock, because the host gave its holder no core.

        Where nobody used one meanwhile, the holder slept, or was kept from one: in doubt the
        latter. Where somebody did, what is left without the wait for a core is no block.
        """
        own = {watched.thread for watched in loops} | {threading.get_ident()}
        starved_ns = self._suspects.starved_ns(own)
        slept = lock_ns > used_ns * 2
        if starved_ns * 2 < lock_ns or not (slept or lock_ns - starved_ns < self._threshold_ns):
            return False
        for watched, delay_ns in zip(loops, delays_ns, strict=True):
            watched.kept.append((due_ns, self.looked_ns, delay_ns))
            for samples in (each.samples for each in (watched.now, *watched.past)):
                if samples and samples[-1].at_ns == self.looked_ns:
                    samples[-1] = replace(samples[-1], lock_ns=0, blamed=())
        return True

    def _others(
        self, loops: list[WatchedLoop], frames: dict[int, FrameType]
    ) -> list[tuple[threading.Thread, Stack]]:
        own = {watched.thread for watched in loops} | {threading.get_ident()}
        return self._suspects.at_work(frames, own)

    def _keep(
        self,
        watched: WatchedLoop,
        glanced: tuple[int, Sample],
        now_ns: int,
        lock_ns: int,
        blamed: Stack,
    ) -> bool:
        """Keep what a glance saw of a stretch, which may have ended since; return as `_look_at`."""
        since_ns, sample = glanced
        since_ns = since_ns or watched.begun_ns()
        if not since_ns and blamed:
            return False
        since_ns = since_ns or now_ns - lock_ns
        if since_ns != watched.now.since_ns:
            watched.begins(since_ns)
        if len(watched.now.samples) < _MOST_SAMPLES:
            watched.now.samples.append(
                replace(sample, at_ns=now_ns, lock_ns=lock_ns, blamed=blamed)
            )
        return (now_ns - since_ns) * 2 >= lock_ns

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
        samples = watched.now.samples
        if samples and samples[-1].at_ns == now_ns:
            return False  # a glance has been kept
        if age_ns * 5 >= self._threshold_ns * 2 or lock_ns:
            sample = take(
                frame,
                watched.loop,
                now_ns,
                floor=watched.floor,
                lock_ns=lock_ns,
                blamed=blamed,
            )
            if sample is not None and len(samples) < _MOST_SAMPLES:
                samples.append(sample)
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


def _gone(watched: WatchedLoop, reading: Reading, process_ns: int, since_ns: int) -> Look:
    """Return how far the clocks have gone on since somebody read them, last before a moment."""
    before = watched.looks.last(since_ns)
    return Look(
        Reading(
            reading.at_ns - before.reading.at_ns,
            reading.cpu_ns - before.reading.cpu_ns,
            reading.delay_ns - before.reading.delay_ns,
        ),
        process_ns - before.process_ns,
    )


def _first_of_project(
    others: list[tuple[threading.Thread, tuple[Frame, ...]]],
) -> tuple[Frame, ...]:
    stacks = [stack for _, stack in others]
    for stack in stacks:
        if any(is_project(file) for file, _, _ in stack):
            return stack
    return stacks[0] if stacks else ()
