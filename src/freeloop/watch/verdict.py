"""From what was seen of a stretch to what is reported."""

from __future__ import annotations

import time

from freeloop.watch import gc_passes
from freeloop.watch.cause import Measured, judge
from freeloop.watch.loops import WatchedLoop
from freeloop.watch.origin import in_flight
from freeloop.watch.route import route_of, route_of_request
from freeloop.watch.sample import Sample
from freeloop.watch.stretch import Cause, Frame, Kind, Stretch, kind_of
from freeloop.watch.threads import run_queue_ns

# Where there is no request yet: the server loads the project on its loop.
STARTING = "(start-up)"


def of_stretch(
    watched: WatchedLoop, since_ns: int, end_ns: int, threshold_ns: int
) -> Stretch | None:
    """Return the report of a stretch, or None if nothing of it is worth one.

    Args:
        watched: Its loop, with the samples and clocks of the stretch if the watchdog saw it.
        since_ns: Start, `time.perf_counter_ns`.
        end_ns: End, or now if it goes on.
        threshold_ns: Least length, net of the host's delay.
    """
    seen = watched.seen(since_ns)
    if seen.reported:
        return None
    before, after = seen.before, watched.looks.after(end_ns)
    wall_ns = end_ns - since_ns
    cpu_ns = after.reading.cpu_ns - before.reading.cpu_ns
    delay_ns = max(0, after.reading.delay_ns - before.reading.delay_ns)
    delay_ns += _newborn_delay_ns(seen.samples, wall_ns) + _kept_ns(watched, since_ns, end_ns)
    delay_ns = min(wall_ns, delay_ns)
    measured = Measured(
        wall_ns=wall_ns,
        # Both are the most that can have been: what may have been delay is nobody's code.
        cpu_ns=min(wall_ns - delay_ns, max(0, cpu_ns)),
        delay_ns=delay_ns,
        watchdog_delay_ns=max(0, after.watchdog_ns - before.watchdog_ns),
        gc_ns=gc_passes.spent_ns(watched.thread, since_ns, end_ns),
        process_cpu_ns=max(0, after.process_ns - before.process_ns),
    )
    judged = judge(seen.samples, measured, threshold_ns)
    kind = kind_of(judged.cause)
    length_ns = wall_ns - measured.net_ns if kind is Kind.HOST else measured.net_ns
    if length_ns < threshold_ns:
        return None
    shown = judged.shown
    origin = None if shown is None else shown.origin
    confidence = judged.confidence
    if origin is None and shown is not None and shown.task is None and watched.floor:
        # A loop written in C does not show whose callback it runs. If there is one request alone,
        # it is probably that one's.
        alone = list(in_flight.values())
        if len(alone) == 1:
            origin, confidence = alone[0], confidence / 2
    route = None if shown is None else shown.route or route_of_request(shown.request)
    if route is None and origin is not None:
        route = route_of(origin, [])
    path = None if origin is None else origin.path
    return Stretch(
        kind=kind,
        cause=judged.cause,
        ms=length_ns / 1e6,
        frames=judged.frames,
        route=route,
        path=STARTING if path is None and watched.starting else path,
        task=None if shown is None else shown.task,
        started=unix_time(since_ns),
        confidence=confidence,
        other=judged.other,
    )


def _newborn_delay_ns(samples: list[Sample], wall_ns: int) -> int:
    """Return how long the host kept threads from their first step while the loop waited for it."""
    waited = [each.newborn for each in samples if each.newborn is not None]
    if not waited:
        return 0
    first = waited[0]()
    delay_ns = 0 if first is None else run_queue_ns(first)
    return min(delay_ns, wall_ns * len(waited) // len(samples))


def _kept_ns(watched: WatchedLoop, since_ns: int, end_ns: int) -> int:
    """Return how long the loop waited for an interpreter lock whose holder the host gave no core.

    Perhaps it waited in a call as well: in doubt it is nobody's code.
    """
    both = [
        (min(kept_until_ns, end_ns) - max(kept_since_ns, since_ns), delay_ns)
        for kept_since_ns, kept_until_ns, delay_ns in list(watched.kept)
    ]
    return sum(max(0, lasted_ns - delay_ns) for lasted_ns, delay_ns in both)


def held_by_other(stack: tuple[Frame, ...], lock_ns: int, loops: list[WatchedLoop]) -> Stretch:
    """Return the report of a thread that kept the interpreter lock from an idle loop."""
    now_ns = time.perf_counter_ns()
    return Stretch(
        kind=Kind.BLOCK,
        cause=Cause.GIL_OTHER_THREAD,
        ms=lock_ns / 1e6,
        frames=stack,
        route=None,
        path=None,
        task=None,
        started=unix_time(now_ns - lock_ns),
        confidence=0.5,
        other=next((each.now.samples[-1].stack for each in loops if each.now.samples), ()),
    )


def unix_time(at_ns: int) -> float:
    """Return a moment of `time.perf_counter_ns` as Unix time in seconds."""
    return time.time() - (time.perf_counter_ns() - at_ns) / 1e9
