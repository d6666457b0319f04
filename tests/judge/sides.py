"""Sides written by hand, with the numbers that such servers really show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freeloop.judge.capacity import median_quiet_rps
from freeloop.model.plan import Arm
from freeloop.model.run import Arrivals, Observed, Quantiles, Round, Series, SideResult

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING_SEEN = Observed(
    requests=50, threads_started=0.0, connections_held=0, connections_opened=0.0
)


def a_round(rps: float, *, cpu_ms: float = 0.7, busy: float | None = None) -> Round:
    """Return one second at this rate; `busy` is what the CPU alone fills unless it is given."""
    return Round(
        seconds=1000 / rps if rps else 1.0,
        completed=1000 if rps else 0,
        failed=0,
        cpu_ms=cpu_ms,
        queue_ms=None,
        busy=min(1.0, rps * cpu_ms / 1000) if busy is None else busy,
        latency=Quantiles(p50=50, p90=60, p99=70),
        first_byte=None,
        gap=None,
        threads=20,
        rss_bytes=100_000_000,
    )


def a_side(
    rounds: Sequence[Round],
    *,
    server: str = "uvicorn",
    concurrency: int = 50,
    unloaded_ms: float = 51.0,
    thread_limit: int | None = None,
    workers: int = 1,
    observed: Observed | None = None,
    view_is_async: bool | None = True,
    relief: bool | None = None,
) -> SideResult:
    """Return a side with these rounds and the quiet-core throughput that they give."""
    return SideResult(
        arm=Arm(name=server, server=server, workers=workers, relief=relief),
        request="slow",
        path="/slow/",
        view_is_async=view_is_async,
        unloaded_ms=unloaded_ms,
        closed=Series(Arrivals.CLOSED, concurrency, None, tuple(rounds)),
        open=None,
        quiet_rps=median_quiet_rps(
            rounds,
            unloaded_ms=unloaded_ms,
            concurrency=concurrency,
            thread_limit=thread_limit,
            cores=1,
            workers=workers,
        ),
        thread_limit=thread_limit,
        observed=observed,
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """A side in short: what its rounds show, all five the same.

    Attributes:
        rps: Measured throughput.
        cpu_ms: CPU per request.
        unloaded_ms: Response time alone.
        server: Server of the arm.
        threads: Thread limit.
        concurrency: Connections.
        busy: Share of time on a core or ready; what the CPU fills unless given.
        seen: The agent's report.
        async_view: Whether the view is async.
        relief: Whether relief was installed.
    """

    rps: float
    cpu_ms: float
    unloaded_ms: float
    server: str = "uvicorn"
    threads: int | None = None
    concurrency: int = 50
    busy: float | None = None
    seen: Observed | None = NOTHING_SEEN
    async_view: bool | None = True
    relief: bool | None = None

    def but(self, **changes: object) -> Shown:
        """Return the same side with some values changed: a near miss."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def side(self) -> SideResult:
        """Return the side as measured."""
        return a_side(
            [a_round(self.rps, cpu_ms=self.cpu_ms, busy=self.busy)] * 5,
            server=self.server,
            concurrency=self.concurrency,
            unloaded_ms=self.unloaded_ms,
            thread_limit=self.threads,
            observed=self.seen,
            view_is_async=self.async_view,
            relief=self.relief,
        )
