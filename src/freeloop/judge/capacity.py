"""Requests per second on quiet cores, from rounds that shared their cores with strangers."""

from __future__ import annotations

from functools import lru_cache
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freeloop.model.run import Round

RESTED_BELOW = 0.6
ALONE_ABOVE = 0.9


# A decision looks at the same rounds up to five times, and a replay thousands of times.
@lru_cache(maxsize=8192)
def quiet_rps(
    measured: Round,
    *,
    unloaded_ms: float,
    concurrency: int,
    thread_limit: int | None,
    cores: int,
    workers: int = 1,
) -> float:
    """Return the requests per second that the server would do with its cores to itself.

    On a busy machine the kernel shares a core by runnable thread, so a server of many threads
    gets more of it than one event loop does. Raw throughput then compares shares of a core.
    Two models of the same round, both with the CPU per request and without the stretch that
    waiting for a core gave it:

    - rested: the wait is what explains the measured rate. A pool, a lock, a blocked loop or
      another hidden cap is part of that wait, so it is not corrected away;
    - alone: the wait is that of a single request in the server. Right when the core limits,
      because a rate that the core sets tells nothing about the wait.

    `busy`, the share of time in which the server ran or waited for a core, says which holds:
    rested up to 0.6, alone from 0.9, a smooth passage between, so that noise makes no jump.
    The result is never below the measured rate: the rest of the machine can only take.

    `busy` has to be the share of time in which at least one thread of the server was on a core
    or ready for one. A sum of run-queue delays will not do: it counts waiting threads several
    times (1.00 for a gthread server whose core was idle half of the time) and misses the
    threads that Django starts and ends with each ASGI request.

    Args:
        measured: One round under the closed model.
        unloaded_ms: Response time with one request in flight.
        concurrency: Connections.
        thread_limit: Requests that the server handles at once; None without a limit.
        cores: Cores that the server may use; `busy` is per each of these.
        workers: Worker processes; one interpreter lock each keeps a process near one core.

    Returns:
        Requests per second; 0 when the round completed nothing.

    Source:
        Exact mean value analysis (Reiser and Lavenberg 1980) of one core and one wait.
        Against a simulation of both kinds of server beside none, one or three spinning
        neighbours it is within 15 %, but for 2 to 10 requests at once: there it was up to
        20 % off beside one neighbour and 37 % beside three (tests/judge/test_capacity.py).
    """
    rate_rps = measured.throughput_rps
    if rate_rps == 0:
        return 0.0
    usable = min(cores, workers)
    busy = busy_of_usable(measured, cores=cores, workers=workers)
    slots = slots_of(concurrency, thread_limit)
    cpu_ms = measured.cpu_ms
    on_core_ms = max(cpu_ms, busy * usable * 1000 / rate_rps)
    wait_ms = _wait_ms(slots, rate_rps, on_core_ms=on_core_ms, cores=usable)
    if slots == 1:
        return max(rate_rps, _closed_rps(slots, cpu_ms=cpu_ms, wait_ms=wait_ms, cores=usable))
    least_ms = max(0.0, unloaded_ms - on_core_ms)
    rested_rps = max(
        rate_rps,
        _closed_rps(slots, cpu_ms=cpu_ms, wait_ms=max(wait_ms, least_ms), cores=usable),
    )
    alone_rps = _closed_rps(slots, cpu_ms=cpu_ms, wait_ms=least_ms, cores=usable)
    step = min(1.0, max(0.0, (busy - RESTED_BELOW) / (ALONE_ABOVE - RESTED_BELOW)))
    weight = step * step * (3 - 2 * step)
    return rested_rps + weight * max(0.0, alone_rps - rested_rps)


def median_quiet_rps(
    rounds: Sequence[Round],
    *,
    unloaded_ms: float,
    concurrency: int,
    thread_limit: int | None,
    cores: int,
    workers: int = 1,
) -> float:
    """Return the median of `quiet_rps` over the rounds of a side; 0 without rounds."""
    if not rounds:
        return 0.0
    return median(
        quiet_rps(
            each,
            unloaded_ms=unloaded_ms,
            concurrency=concurrency,
            thread_limit=thread_limit,
            cores=cores,
            workers=workers,
        )
        for each in rounds
    )


def more_threads(
    rounds: Sequence[Round],
    *,
    unloaded_ms: float,
    concurrency: int,
    thread_limit: int | None,
    cores: int,
    workers: int = 1,
) -> float | None:
    """Return the estimated requests per second with one thread per request in flight.

    Args:
        rounds: Rounds of the closed model.
        unloaded_ms: Response time with one request in flight.
        concurrency: Connections.
        thread_limit: Requests that the server handles at once; None without a limit.
        cores: Cores that the server may use.
        workers: Worker processes.

    Returns:
        None where threads do not limit: there are enough of them, or the rate is so far below
        what the threads allow that a core or another cap must limit.
    """
    done = [each for each in rounds if each.completed]
    if thread_limit is None or thread_limit >= concurrency or not done or unloaded_ms <= 0:
        return None
    rate_rps = median(each.throughput_rps for each in done)
    cap_rps = wait_bound_rps(
        unloaded_ms=unloaded_ms, concurrency=concurrency, thread_limit=thread_limit
    )
    if rate_rps < 0.75 * cap_rps:
        return None
    cpu_ms = median(each.cpu_ms for each in done)
    return max(
        rate_rps,
        _closed_rps(
            concurrency, cpu_ms=cpu_ms, wait_ms=unloaded_ms - cpu_ms, cores=min(cores, workers)
        ),
    )


def wait_bound_rps(*, unloaded_ms: float, concurrency: int, thread_limit: int | None) -> float:
    """Return the most requests per second if each took as long as one alone in the server."""
    return slots_of(concurrency, thread_limit) * 1000 / unloaded_ms


def slots_of(concurrency: int, thread_limit: int | None) -> int:
    """Return how many requests the server can have in hand at once."""
    return concurrency if thread_limit is None else min(concurrency, thread_limit)


def busy_of_usable(measured: Round, *, cores: int, workers: int) -> float:
    """Return `busy` per core that the interpreter locks let the server use, 0 to 1."""
    return min(1.0, measured.busy * cores / min(cores, workers))


def _closed_rps(slots: int, *, cpu_ms: float, wait_ms: float, cores: int) -> float:
    """Return the throughput of `slots` customers that go round between a core and a wait.

    Several cores count as one that is as fast as all of them, and a wait for the rest
    (Seidmann's approximation).
    """
    if cpu_ms <= 0:
        return slots * 1000 / wait_ms if wait_ms > 0 else 0.0
    core_ms = cpu_ms / cores
    apart_ms = max(0.0, wait_ms) + cpu_ms - core_ms
    queued = 0.0
    rate_per_ms = 0.0
    for customers in range(1, slots + 1):
        response_ms = core_ms * (1 + queued)
        rate_per_ms = customers / (apart_ms + response_ms)
        queued = rate_per_ms * response_ms
    return rate_per_ms * 1000


def _wait_ms(slots: int, rate_rps: float, *, on_core_ms: float, cores: int) -> float:
    """Return the wait that, beside that time on a core, explains the measured rate."""
    low_ms, high_ms = 0.0, slots * 1000 / rate_rps
    for _ in range(30):
        middle_ms = (low_ms + high_ms) / 2
        if _closed_rps(slots, cpu_ms=on_core_ms, wait_ms=middle_ms, cores=cores) > rate_rps:
            low_ms = middle_ms
        else:
            high_ms = middle_ms
    return high_ms
