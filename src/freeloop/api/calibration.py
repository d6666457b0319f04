"""One deployment measured in three bursts: 1, 8 and 32 requests in flight."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from freeloop.api.pair import warm
from freeloop.api.serving import Bench, ServedSide
from freeloop.errors import FreeloopError
from freeloop.judge.calibrate import DISTURBED, LEVELS, growth, taken_share
from freeloop.judge.capacity import busy_of_usable
from freeloop.measure.rounds import drain, timed_round
from freeloop.model.plan import Side
from freeloop.model.prediction import Burst, Calibration

BURST_S = 1.0
# Bursts that other programs disturbed are taken again, so often and as long as they are short.
TRIES = 3
LONGEST_TRY_S = 10.0
MOST_FAILED = 0.01


def calibrate(bench: Bench, side: Side) -> Calibration:
    """Serve one side, with threads for all that a burst sends, and load it three times.

    Where other programs took the core that it wanted, all three are taken again.

    Where the cost grows too fast for a number, the agent then looks at which library it is: in
    rounds of its own, because it costs time itself.

    Raises:
        FreeloopError: "burst-fails" when a burst gets wrong answers, or none.
    """
    most = max(LEVELS)
    with bench.serve(side, threads=most) as served:
        bench.check_first_answer(served)
        bench.say(f"warming up {served.label}")
        warm(bench, served, most)
        found = calmest(partial(_loaded, bench, served))
    if growth(found) is None:
        return found
    return replace(found, cpu_by_library=_by_library(bench, side, found))


def calmest(load: Callable[[], Calibration]) -> Calibration:
    """Return bursts that other programs did not disturb, or the calmest of a few tries.

    What the bursts found plays no part in the choice.
    """
    tries: list[Calibration] = []
    while True:
        started = time.monotonic()
        tries.append(load())
        slow = time.monotonic() - started > LONGEST_TRY_S
        if taken_share(tries[-1]) <= DISTURBED or slow or len(tries) == TRIES:
            return min(tries, key=taken_share)


def _loaded(bench: Bench, served: ServedSide) -> Calibration:
    bursts: list[Burst] = []
    for level in LEVELS:
        bursts.append(_burst(bench, served, level, bursts[-1] if bursts else None))
    return Calibration(
        arm=served.arm,
        path=served.request.url or "",
        bursts=tuple(bursts),
        thread_limit=served.thread_limit,
        cores=bench.cores,
    )


def _burst(bench: Bench, served: ServedSide, level: int, before: Burst | None) -> Burst:
    """Load one side for about a second; longer where its answers take longer."""
    seconds = BURST_S
    if before is not None:
        seconds = max(seconds, bench.effort.round_for(before.latency_ms / 1000))
    while True:
        bench.say(f"burst of {level}, {served.label}")
        load = served.load(connections=level, seconds=seconds)
        taken = timed_round(bench.engine, served.pid, load, cores=bench.server_cores)
        drain(served.pid, cores=bench.cores)
        done = taken.round
        if done.failed > MOST_FAILED * (done.completed + done.failed):
            reasons = ", ".join(f"{reason} ({count})" for reason, count in taken.failures.items())
            raise FreeloopError(
                "burst-fails",
                what=f"{done.failed} of {done.completed + done.failed} requests failed",
                where=f"a burst of {level} on {served.label}: {reasons}",
                mend="make the deployment answer 32 requests at once, then predict",
            )
        # A server may answer a whole generation at its end: a rate wants more than one.
        if done.completed >= level:
            break
        if seconds >= bench.effort.longest_round_s:
            raise FreeloopError(
                "burst-fails",
                what=f"{done.completed} answers in {seconds:.0f} s",
                where=f"a burst of {level} on {served.label}",
                mend="measure a view this slow with freeloop bench",
            )
        pace_s = taken.wall_s * level / max(1, taken.answered)
        seconds = min(
            bench.effort.longest_round_s, max(2 * seconds, bench.effort.round_for(pace_s))
        )
    return Burst(
        concurrency=level,
        completed=done.completed,
        failed=done.failed,
        rate_rps=done.throughput_rps,
        latency_ms=done.latency.p50,
        cpu_ms=done.cpu_ms,
        busy=busy_of_usable(done, cores=bench.cores, workers=served.arm.workers),
        queue_ms=None if done.queue_ms is None else done.queue_ms / max(1, taken.answered),
    )


def _by_library(bench: Bench, side: Side, found: Calibration) -> dict[str, tuple[float, float]]:
    """Return the CPU per request by package at 8 and at 32: shares seen by the agent."""
    shares: list[dict[str, float]] = []
    with bench.serve(side, threads=max(LEVELS), observed=True) as served:
        bench.engine.run(served.load(connections=4, seconds=0.3))
        for level in LEVELS[1:]:
            bench.say(f"whose CPU grows, {level} in flight, {served.label}")
            drain(served.pid, cores=bench.cores)
            served.reset_agent()
            bench.engine.run(served.load(connections=level, seconds=BURST_S))
            report = served.agent_report()
            shares.append(dict(report.cpu_shares) if report else {})
    at_8, at_32 = shares
    return {
        library: (
            at_8.get(library, 0.0) * found.bursts[1].cpu_ms,
            at_32.get(library, 0.0) * found.bursts[2].cpu_ms,
        )
        for library in {*at_8, *at_32}
    }
