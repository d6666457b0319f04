"""A closed network simulated event by event: the oracle of the quiet-core estimate.

Customers go round between a wait and one core. Spinning neighbours want the core all the time,
and the kernel gives each runnable thread the same share: one to an event loop, one to every
runnable thread of a threaded server.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from freeloop.model.run import Quantiles, Round

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWERS = 2000


@dataclass(frozen=True, slots=True)
class Server:
    """What is simulated.

    Attributes:
        threaded: One thread per request in hand, else one event loop.
        slots: Requests in hand at once.
        cpu_ms: CPU of one request.
        wait_ms: Wait of one request.
        random: Whether both vary exponentially around these means, else they never vary.
    """

    threaded: bool
    slots: int
    cpu_ms: float
    wait_ms: float
    random: bool = False

    def round_beside(self, neighbours: int, *, seed: int = 0) -> Round:
        """Return the round that an observer would record beside that many spinning threads."""
        source = Random(seed)

        def draw(mean_ms: float) -> float:
            return source.expovariate(1 / mean_ms) if self.random and mean_ms else mean_ms

        run = _threads if self.threaded else _loop
        elapsed_ms, busy_ms = run(self, neighbours, draw, source)
        nothing = Quantiles(p50=0, p90=0, p99=0)
        return Round(
            seconds=elapsed_ms / 1000,
            completed=ANSWERS,
            failed=0,
            cpu_ms=self.cpu_ms,
            queue_ms=None,
            busy=min(1.0, busy_ms / elapsed_ms),
            latency=nothing,
            first_byte=None,
            gap=None,
            threads=self.slots,
            rss_bytes=1,
        )

    def unloaded_ms_beside(self, neighbours: int) -> float:
        """Return the response time of one request alone in the server."""
        return self.cpu_ms * (1 + neighbours) + self.wait_ms


def _loop(
    server: Server, neighbours: int, draw: Callable[[float], float], source: Random
) -> tuple[float, float]:
    now_ms = busy_ms = 0.0
    waiting = [draw(server.wait_ms) * source.random() for _ in range(server.slots)]
    heapq.heapify(waiting)
    ready: deque[float] = deque()
    for _ in range(ANSWERS):
        if not ready:
            now_ms = max(now_ms, heapq.heappop(waiting))
            ready.append(now_ms)
        ready.popleft()
        spent_ms = draw(server.cpu_ms) * (1 + neighbours)
        now_ms += spent_ms
        busy_ms += spent_ms
        heapq.heappush(waiting, now_ms + draw(server.wait_ms))
        while waiting and waiting[0] <= now_ms:
            ready.append(heapq.heappop(waiting))
    return now_ms, busy_ms


def _threads(
    server: Server, neighbours: int, draw: Callable[[float], float], source: Random
) -> tuple[float, float]:
    """Share the core evenly; `served_ms` is the CPU that each runnable thread got so far."""
    now_ms = busy_ms = served_ms = 0.0
    waiting = [draw(server.wait_ms) * source.random() for _ in range(server.slots)]
    heapq.heapify(waiting)
    running: list[float] = []
    answers = 0
    while answers < ANSWERS:
        sharers = len(running) + neighbours
        ends_ms = now_ms + (running[0] - served_ms) * sharers if running else float("inf")
        next_ms = min(ends_ms, waiting[0] if waiting else float("inf"))
        if running:
            served_ms += (next_ms - now_ms) / sharers
            busy_ms += next_ms - now_ms
        now_ms = next_ms
        if running and next_ms == ends_ms:
            heapq.heappop(running)
            answers += 1
            heapq.heappush(waiting, now_ms + draw(server.wait_ms))
        else:
            heapq.heappop(waiting)
            heapq.heappush(running, served_ms + draw(server.cpu_ms))
    return now_ms, busy_ms
