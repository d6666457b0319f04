"""A server simulated event by event: requests queue before it, for cores and for limits in it.

The oracle of the predictions. It knows nothing of product forms: it moves one request at a time.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from random import Random

REQUESTS = 20_000
WARM_UP = 2_000


@dataclass(frozen=True, slots=True)
class Simulated:
    """What is simulated.

    Attributes:
        visits: Of each request, in order: name of the station and mean milliseconds there.
        servers: Requests that a station serves at once, by its name; absent means all that come.
        front: Requests inside at once; None for all.
        random: Whether times vary exponentially around their means, else never.
    """

    visits: tuple[tuple[str, float], ...]
    servers: dict[str, int]
    front: int | None = None
    random: bool = True


@dataclass(slots=True)
class _State:
    now_ms: float = 0.0
    events: list[tuple[float, int, int, int]] = field(default_factory=list)
    queues: dict[str, deque[tuple[int, int]]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    order: int = 0


def simulate(what: Simulated, concurrency: int, *, seed: int = 0) -> tuple[float, float]:
    """Return requests per second and mean latency in milliseconds, in the closed model."""
    source = Random(seed)
    state = _State()
    sent_ms = [0.0] * concurrency
    before: deque[int] = deque(range(concurrency))
    inside = 0
    done = 0
    total_ms = started_ms = 0.0

    def serve(customer: int, visit: int) -> None:
        name, mean_ms = what.visits[visit]
        limit = what.servers.get(name)
        if limit is not None and state.taken.get(name, 0) >= limit:
            state.queues.setdefault(name, deque()).append((customer, visit))
            return
        state.taken[name] = state.taken.get(name, 0) + 1
        length_ms = source.expovariate(1 / mean_ms) if what.random else mean_ms
        state.order += 1
        heapq.heappush(state.events, (state.now_ms + length_ms, state.order, customer, visit))

    def admit() -> None:
        nonlocal inside
        while before and (what.front is None or inside < what.front):
            inside += 1
            serve(before.popleft(), 0)

    admit()
    while done < REQUESTS + WARM_UP:
        state.now_ms, _order, customer, visit = heapq.heappop(state.events)
        name = what.visits[visit][0]
        state.taken[name] -= 1
        if state.queues.get(name):
            serve(*state.queues[name].popleft())
        if visit + 1 < len(what.visits):
            serve(customer, visit + 1)
            continue
        done += 1
        if done == WARM_UP:
            started_ms = state.now_ms
        elif done > WARM_UP:
            total_ms += state.now_ms - sent_ms[customer]
        sent_ms[customer] = state.now_ms
        inside -= 1
        before.append(customer)
        admit()
    return 1000 * REQUESTS / (state.now_ms - started_ms), total_ms / REQUESTS


def simulate_gate(cpu_ms: float, wait_ms: float, concurrency: int, *, random: bool) -> float:
    """Return requests per second where all that came compute together and leave together.

    Who comes meanwhile waits at the gate for the next lot.
    """
    source = Random(0)
    now_ms, done = 0.0, 0
    coming = [0.0] * concurrency
    while done < REQUESTS:
        coming.sort()
        now_ms = max(now_ms, coming[0])
        lot = [at for at in coming if at <= now_ms]
        now_ms += cpu_ms * len(lot)
        waits = (source.expovariate(1 / wait_ms) if random else wait_ms for _ in lot)
        coming = [at for at in coming if at not in lot] + [now_ms + each for each in waits]
        done += len(lot)
    return 1000 * done / now_ms
