"""What held one side back: its core, the waits of its slots, or something else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from freeloop.judge.capacity import busy_of_usable, slots_of, wait_bound_rps

if TYPE_CHECKING:
    from freeloop.model.run import Observed, SideResult

BUSY = 0.85
IDLE = 0.7
AT_BOUND = 0.75
CLEAR = 1.15
MOSTLY_CORE = 0.7
IN_STEP = 1.25
TURN_SHARE = 0.5


class Limit(StrEnum):
    """What a faster rate would have needed.

    CORE: more or faster cores, or less CPU per request. WAIT: shorter responses or more slots.
    TURNS: less CPU per request too, although the core rests: all requests wait together, then all
    want the core together. OTHER: neither was used up, so something unseen capped the rate.
    UNCLEAR: two are too close to tell, or the core was in part taken.
    """

    CORE = "core"
    WAIT = "wait"
    TURNS = "turns"
    OTHER = "other"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Held:
    """One side reduced to what its cause is argued from.

    Attributes:
        name: "A" or "B".
        rate_rps: Median measured throughput of the closed rounds.
        cpu_ms: Median CPU per request.
        busy: Median share of time on a core or ready for one, per core it could use.
        unloaded_ms: Response time with one request in flight.
        slots: Requests that the server could have in hand at once.
        concurrency: Connections.
        thread_limit: Requests that the server handles at once; None without a limit.
        workers: Worker processes.
        wait_bound_rps: Rate if each request took `unloaded_ms`.
        limit: What held the side back.
        asgi: Whether an ASGI server answered.
        relief: Whether `freeloop.relief` was installed in it.
        async_view: Whether the view is `async def`; None when not known.
        observed: The agent's report, or None.
    """

    name: str
    rate_rps: float
    cpu_ms: float
    busy: float
    unloaded_ms: float
    slots: int
    concurrency: int
    thread_limit: int | None
    workers: int
    wait_bound_rps: float
    limit: Limit
    asgi: bool
    relief: bool
    async_view: bool | None
    observed: Observed | None

    @property
    def wait_ms(self) -> float:
        """Response time of one request alone, without its CPU."""
        return max(0.0, self.unloaded_ms - self.cpu_ms)

    @property
    def idle(self) -> bool:
        """Whether the server left its core alone for a good part of the time."""
        return self.busy <= IDLE


def held(name: str, side: SideResult, *, cores: int) -> Held | None:
    """Return what held a side back; None when it completed nothing or its latency is unknown."""
    rounds = [each for each in side.closed.rounds if each.completed]
    if not rounds or side.unloaded_ms <= 0:
        return None
    concurrency, workers = side.closed.concurrency, side.arm.workers
    slots = slots_of(concurrency, side.thread_limit)
    rate_rps = median(each.throughput_rps for each in rounds)
    cpu_ms = median(each.cpu_ms for each in rounds)
    busy = median(busy_of_usable(each, cores=cores, workers=workers) for each in rounds)
    bound_rps = wait_bound_rps(
        unloaded_ms=side.unloaded_ms, concurrency=concurrency, thread_limit=side.thread_limit
    )
    core_bound_rps = min(cores, workers) * 1000 / cpu_ms if cpu_ms > 0 else float("inf")
    if slots == 1:
        limit = _limit_of_one(cpu_ms, side.unloaded_ms)
    else:
        reached = max(rate_rps, side.quiet_rps) >= AT_BOUND * bound_rps
        limit = _limit(core_bound_rps / bound_rps, busy=busy, reached=reached)
        turns_rps = turns_bound_rps(slots, cpu_ms=cpu_ms, unloaded_ms=side.unloaded_ms)
        in_step = abs(math.log(rate_rps / turns_rps)) <= math.log(IN_STEP)
        if limit is not Limit.WAIT and in_step and slots * cpu_ms >= TURN_SHARE * side.unloaded_ms:
            limit = Limit.CORE if limit is Limit.CORE else Limit.TURNS
    return Held(
        name=name,
        rate_rps=rate_rps,
        cpu_ms=cpu_ms,
        busy=busy,
        unloaded_ms=side.unloaded_ms,
        slots=slots,
        concurrency=concurrency,
        thread_limit=side.thread_limit,
        workers=workers,
        wait_bound_rps=bound_rps,
        limit=limit,
        asgi=side.arm.server.startswith("uvicorn") or side.arm.server.endswith(":asgi"),
        relief=side.arm.relief is True,
        async_view=side.view_is_async,
        observed=side.observed,
    )


def turns_bound_rps(slots: int, *, cpu_ms: float, unloaded_ms: float) -> float:
    """Return the rate of requests that go in step: one wait for all, then the CPU of each.

    The hops of Django's ASGI handler make it so: the loop takes every request one hop further in
    turn, and all reach their wait at about the same time.
    """
    return slots * 1000 / (unloaded_ms + (slots - 1) * cpu_ms)


def _limit(core_over_wait: float, *, busy: float, reached: bool) -> Limit:
    """Return the limit from which bound is lower and whether the rate came near it."""
    if core_over_wait >= CLEAR and reached:
        return Limit.WAIT
    if busy >= BUSY:
        return Limit.CORE if core_over_wait <= 1 / CLEAR else Limit.UNCLEAR
    return Limit.OTHER if busy <= IDLE and not reached else Limit.UNCLEAR


def _limit_of_one(cpu_ms: float, unloaded_ms: float) -> Limit:
    """Return the limit where requests go one at a time: what the response is made of."""
    if cpu_ms >= MOSTLY_CORE * unloaded_ms:
        return Limit.CORE
    return Limit.WAIT if cpu_ms <= 0.5 * unloaded_ms else Limit.UNCLEAR
