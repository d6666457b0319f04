"""What held the loop: decided from the samples of a stretch and from the clocks of its thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from freeloop.watch.sample import Sample
from freeloop.watch.stretch import Cause, Frame, is_project

# Shorter waits for the interpreter lock are its usual way of going from thread to thread
# (`sys.getswitchinterval`, 5 ms), on a busy machine a little more.
LOCK_HELD_NS = 9_000_000
_INNERMOST = 4
# A thread works, rather than waits in a call, from a tenth of the time on a core.
_WORKS = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """The clocks of one stretch, in nanoseconds.

    Attributes:
        wall_ns: From start to end.
        cpu_ns: The loop's thread on a core.
        delay_ns: The loop's thread in the run queue: nobody's code.
        gc_ns: Garbage collection in the loop's thread.
        process_cpu_ns: All threads on a core.
        watchdog_delay_ns: The watchdog's thread in the run queue.
    """

    wall_ns: int
    cpu_ns: int
    delay_ns: int
    gc_ns: int
    process_cpu_ns: int
    watchdog_delay_ns: int = 0

    @property
    def net_ns(self) -> int:
        """What is left of the stretch without the host's own delay; never negative."""
        rest_ns = max(0, self.wall_ns - self.delay_ns)
        # A thread that is asked for the interpreter lock gives it away, and CPython (3.12, 3.13)
        # has it wait until the other one has run: on a busy host, until the watchdog gets a core.
        # A thread that waits in a call has no lock to give, and uses no CPU time.
        if self.cpu_ns * _WORKS >= rest_ns:
            return max(self.cpu_ns, rest_ns - self.watchdog_delay_ns)
        return rest_ns


@dataclass(frozen=True, slots=True)
class Judged:
    """Cause, and the sample that shows it.

    Attributes:
        cause: Why the loop was held.
        shown: The sample to report; None if there was none.
        frames: The stack to blame.
        other: What the loop did, if somebody else is to blame.
        confidence: From 0 to 1.
    """

    cause: Cause
    shown: Sample | None
    frames: tuple[Frame, ...]
    other: tuple[Frame, ...]
    confidence: float


def judge(samples: Sequence[Sample], measured: Measured, threshold_ns: int) -> Judged:
    """Return the cause of a stretch.

    Args:
        samples: In order; may be empty.
        measured: Its clocks.
        threshold_ns: No single callback that is shorter counts as a block.
    """
    if measured.net_ns < threshold_ns:
        return _named(Cause.STARVED, samples, samples)
    busy = measured.cpu_ns * 2 >= measured.net_ns
    if not samples:
        elsewhere = (measured.process_cpu_ns - measured.cpu_ns) * 2 >= measured.net_ns
        idle = Cause.GIL_OTHER_THREAD if elsewhere else Cause.WAIT
        return Judged(Cause.CPU if busy else idle, None, (), (), 0.1)
    if measured.gc_ns * 2 >= measured.net_ns:
        return _named(Cause.GC, samples, samples)
    # Each such wait began up to half a threshold after the call that held the lock.
    late = [each.lock_ns for each in samples if each.lock_ns >= LOCK_HELD_NS]
    held_ns = sum(late) + len(late) * threshold_ns // 2
    blamed = [each for each in samples if each.blamed]
    if blamed and not busy and held_ns * 2 >= measured.net_ns:
        shown = max(blamed, key=lambda each: each.lock_ns)
        return Judged(
            Cause.GIL_OTHER_THREAD, shown, shown.blamed, shown.stack, _confidence(blamed, samples)
        )
    longest = _longest_step(samples, measured, threshold_ns)
    if not longest:
        return _named(Cause.SATURATION, samples, samples)
    held = held_ns * 2 >= measured.net_ns
    if _starts_thread(longest):
        if not busy:
            return _named(Cause.THREAD_START, longest, samples)
        # Whoever waits for another thread uses no core. What did came before, in the same turn of
        # the loop, and perhaps nobody saw it: then no line is better than the wrong one.
        longest = [each for each in samples if not _starts_thread([each])]
    if held:
        return _named(Cause.GIL_HELD, longest, samples)
    return _named(Cause.CPU if busy else Cause.WAIT, longest, samples)


def _longest_step(
    samples: Sequence[Sample], measured: Measured, threshold_ns: int
) -> Sequence[Sample]:
    """Return the samples of the callback that took most of the stretch, or none if none did."""
    runs: list[list[Sample]] = []
    for each in samples:
        if runs and runs[-1][0].step == each.step:
            runs[-1].append(each)
        else:
            runs.append([each])
    if len(runs) == 1:
        return runs[0]
    longest = max(runs, key=lambda run: (run[-1].at_ns - run[0].at_ns + run[0].lock_ns, len(run)))
    lasted_ns = longest[-1].at_ns - longest[0].at_ns + longest[0].lock_ns
    # As much of it as of the whole stretch was the host's delay.
    net_ns = lasted_ns * measured.net_ns // measured.wall_ns
    enough_ns = min(threshold_ns, measured.net_ns // 2)
    return longest if net_ns >= enough_ns else ()


def _named(cause: Cause, samples: Sequence[Sample], of: Sequence[Sample]) -> Judged:
    if not samples:
        return Judged(cause, None, (), (), 0.1)
    counts = Counter(_place(each) for each in samples)
    most = counts.most_common(1)[0][0]
    agreeing = [each for each in samples if _place(each) == most]
    # One line calls this and that: shown is what it was seen in most, or what held the lock.
    callees = Counter(_callee(each) for each in agreeing)
    late = [each for each in agreeing if each.lock_ns >= LOCK_HELD_NS]
    if late:
        shown = max(late, key=lambda each: each.lock_ns)
    else:
        shown = max(agreeing, key=lambda each: callees[_callee(each)])
    return Judged(cause, shown, shown.stack, (), _confidence(agreeing, of))


def _place(sample: Sample) -> Frame:
    """Return the deepest project line, or the innermost one."""
    return next((each for each in sample.stack if is_project(each[0])), sample.stack[0])


def _callee(sample: Sample) -> tuple[str, str]:
    file, _, function = sample.stack[0]
    return file, function


def _starts_thread(samples: Sequence[Sample]) -> bool:
    starting = sum(
        any(
            name == "start" and file.endswith("threading.py")
            for file, _, name in each.stack[:_INNERMOST]
        )
        for each in samples
    )
    return starting * 2 > len(samples)


def _confidence(agreeing: Sequence[Sample], samples: Sequence[Sample]) -> float:
    """Return the share that agrees; a single look counts half, each further one halves the doubt.

    A look that the interpreter lock kept waiting came at the very end of the call that held it.
    """
    looks = len(agreeing) + sum(each.lock_ns >= LOCK_HELD_NS for each in agreeing)
    return len(agreeing) / len(samples) * (1.0 - 0.5**looks)
