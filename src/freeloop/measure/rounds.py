"""Timed rounds: load one served side and say what was seen from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from freeloop.measure.load import Load, LoadEngine, LoadResult, Milliseconds
from freeloop.measure.observe import usage
from freeloop.measure.strangers import busy_ns, share_of_strangers
from freeloop.measure.watch import Watch
from freeloop.model.run import Arrivals, Quantiles, Round

WARM_UP_WINDOW_S = 0.3
WARM_UP_WINDOWS = 8
WARM_UP_AGREEMENT = 0.10
WARM_UP_LIMIT_S = 1.5
IDLE_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Taken:
    """One round with what does not belong into its numbers.

    Attributes:
        round: The numbers.
        failures: Reasons of failed requests with their counts.
        sample_failure: Start of the first wrong answer's body, "" without one.
        answered: Right answers, those after the window included.
        wall_s: From the first request to the last answer, draining included.
        notes: What the load client says about itself, such as that it was the bottleneck.
        beside: Results of the loads that ran beside, in order.
    """

    round: Round
    failures: Mapping[str, int]
    sample_failure: str
    answered: int
    wall_s: float
    notes: tuple[str, ...] = ()
    beside: tuple[Round, ...] = ()


def timed_round(
    engine: LoadEngine,
    pid: int,
    load: Load,
    *,
    cores: Collection[int],
    beside: tuple[Load, ...] = (),
) -> Taken:
    """Run one load against one server and return what it did and what it used.

    Args:
        engine: Sends the load.
        pid: Root of the server's process tree.
        load: The load that is judged.
        cores: Numbers of the cores that the server is held to; empty for all of them.
        beside: Light loads that run at the same time.

    Returns:
        The round. CPU is that of the whole process tree, over all answers including those that
        arrived after the window, so that a slow view is not charged for unfinished requests.
    """
    before, others_before, started = usage(pid), busy_ns(cores), time.perf_counter()
    usable = len(cores) or os.cpu_count() or 1
    with Watch(pid, cores=usable) as watch:
        result, *others = engine.run(load, *beside)
    after, others_after, wall_s = usage(pid), busy_ns(cores), time.perf_counter() - started

    peaks = watch.peaks
    cpu_ms = after.cpu_ns_since(before) / 1e6
    queue_ns = after.queue_ns_since(before)
    queue_ms = None if queue_ns is None else queue_ns / 1e6
    # Adding up run-queue delays would count every queued thread of a server, and none of those
    # that Django starts and ends with each ASGI request. Samples see both as they are.
    on_cpu = cpu_ms / (wall_s * 1000 * usable)
    busy = min(1.0, on_cpu if peaks.running is None else max(on_cpu, peaks.running / usable))
    strangers = share_of_strangers(
        others_before,
        others_after,
        own_ns=after.cpu_ns_since(before),
        wall_s=wall_s,
        cores=usable,
    )

    def as_round(sent: Load, got: LoadResult) -> Round:
        completed, seconds = steady(got, sent)
        return Round(
            seconds=seconds,
            completed=completed,
            failed=got.failed,
            cpu_ms=cpu_ms / max(1, got.completed + got.late),
            queue_ms=queue_ms,
            busy=busy,
            latency=quantiles(got.latency_ms) or Quantiles(0.0, 0.0, 0.0),
            first_byte=quantiles(got.first_byte_ms),
            gap=quantiles(got.gap_ms),
            threads=peaks.threads,
            rss_bytes=peaks.rss_bytes,
            strangers=strangers,
        )

    return Taken(
        round=as_round(load, result),
        failures=dict(result.failures),
        sample_failure=result.sample_failure,
        answered=result.completed + result.late,
        wall_s=wall_s,
        notes=result.notes,
        beside=tuple(as_round(sent, got) for sent, got in zip(beside, others, strict=True)),
    )


def steady(result: LoadResult, load: Load) -> tuple[int, float]:
    """Return answers and seconds of the stretch in which the load was steady.

    In the closed model all connections start together, so answers to a view that waits come in
    batches: counting whole batches between the end of the first and the last answer in the
    window leaves out the ramp, which would cost up to one wait of the window.

    Returns:
        Answers and the seconds they took; throughput is their ratio. In the open and burst
        models all answers, over the time to the last one.
    """
    finished = np.sort(result.finished_ms)
    if load.arrivals is not Arrivals.CLOSED:
        last_s = float(finished[-1]) / 1000 if len(finished) else result.seconds
        return result.completed, max(last_s, result.seconds)
    inside = finished[finished <= load.seconds * 1000]
    first_batch = min(load.connections, len(inside) // 2)
    if first_batch < 1:
        return len(inside), load.seconds
    stretch_ms = float(inside[-1] - inside[first_batch - 1])
    if stretch_ms <= 0:
        return len(inside), load.seconds
    return len(inside) - first_batch, stretch_ms / 1000


def quantiles(values: Milliseconds) -> Quantiles | None:
    """Return p50, p90 and p99, or None without values."""
    if len(values) == 0:
        return None
    p50, p90, p99 = np.percentile(values, [50, 90, 99])
    return Quantiles(float(p50), float(p90), float(p99))


def warm_up(engine: LoadEngine, pid: int, load: Callable[[float], Load], *, window_s: float) -> int:
    """Load a server until its CPU per request settles, and return the windows it took.

    The first requests of a process import, connect and compile: 30 to 230 ms of CPU were seen.

    Args:
        engine: Sends the load.
        pid: Root of the server's process tree.
        load: Makes the load for a number of seconds.
        window_s: Length of a window, at least one latency.
    """
    last_ms: float | None = None
    deadline = time.monotonic() + WARM_UP_LIMIT_S
    for window in range(1, WARM_UP_WINDOWS + 1):
        before = usage(pid)
        (result,) = engine.run(load(window_s))
        answers = result.completed + result.late
        cpu_ms = usage(pid).cpu_ns_since(before) / 1e6 / max(1, answers)
        settled = last_ms is not None and abs(cpu_ms - last_ms) <= WARM_UP_AGREEMENT * cpu_ms
        if settled or (window > 1 and time.monotonic() > deadline):
            return window
        last_ms = cpu_ms
    return WARM_UP_WINDOWS


def drain(pid: int, *, cores: int, limit_s: float = 15.0) -> bool:
    """Wait until the server rests; return False when it still worked at the limit.

    A blocked async server goes on for concurrency times the block after the client left, and
    would spoil the round of the other side.
    """
    deadline = time.monotonic() + limit_s
    last, last_at = usage(pid), time.monotonic_ns()
    while time.monotonic() < deadline:
        time.sleep(0.05)
        now, now_at = usage(pid), time.monotonic_ns()
        if now.cpu_ns_since(last) < IDLE_SHARE * cores * (now_at - last_at):
            return True
        last, last_at = now, now_at
    return False
