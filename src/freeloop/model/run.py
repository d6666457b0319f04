"""Run: what one `freeloop bench` measured, round by round, and what it concludes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from freeloop.model.plan import Arm, Question
from freeloop.model.verdict import Verdict


class Arrivals(StrEnum):
    """Arrival model: it decides the tail, so every latency names it.

    CLOSED: each connection sends when the last answer came. OPEN: constant arrivals, latency
    from the intended start. BURST: all at once, one request a connection.
    """

    CLOSED = "closed"
    OPEN = "open"
    BURST = "burst"


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Milliseconds at the 50th, 90th and 99th percentile."""

    p50: float
    p90: float
    p99: float


@dataclass(frozen=True, slots=True)
class Round:
    """One timed round of one side, observed from outside the server.

    Attributes:
        seconds: Wall time of the round.
        completed: Right answers.
        failed: Wrong status, wrong body, refused, timed out.
        cpu_ms: CPU of the server's process tree per completed request, milliseconds.
        queue_ms: Run-queue delay of the process tree over the round, milliseconds; None where
            the kernel does not tell.
        busy: Share of the round in which the server ran on a core or waited for one, 0 to 1,
            per core that it may use.
        latency: Request sent (or due, in the open model) to last byte.
        first_byte: Request sent to first body byte; None without a body.
        gap: Between the events of a stream; None for plain answers.
        threads: Most threads seen at once in the process tree.
        rss_bytes: Most resident memory seen at once in the process tree.
        strangers: Share of the server's cores that other programs used, 0 to 1; None where the
            kernel does not tell.
    """

    seconds: float
    completed: int
    failed: int
    cpu_ms: float
    queue_ms: float | None
    busy: float
    latency: Quantiles
    first_byte: Quantiles | None
    gap: Quantiles | None
    threads: int
    rss_bytes: int
    strangers: float | None = None

    @property
    def throughput_rps(self) -> float:
        """Right answers per second."""
        return self.completed / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Series:
    """The rounds of one side at one concurrency under one arrival model.

    Attributes:
        arrivals: Arrival model.
        concurrency: Connections (closed, burst), or the most requests in flight (open).
        rate_rps: Arrivals per second, open model only.
        rounds: In the order in which they ran.
    """

    arrivals: Arrivals
    concurrency: int
    rate_rps: float | None
    rounds: tuple[Round, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """What the agent inside the server saw in the one observed round.

    Attributes:
        requests: Requests that the agent saw end.
        threads_started: Threads started per request.
        connections_held: Most database connections open at once.
        connections_opened: Database connections opened per request.
        pool_max: Size limit of the database pool, None without one.
        loop_held_ms: Wall time per request in which the request's own steps held the event loop;
            None under WSGI.
        loop_cpu_ms: CPU part of `loop_held_ms`; None under WSGI.
        longest_hold_ms: Longest single stretch of one request without giving the loop back.
        blocked_at: "file:line function" that was on the stack in most samples of blocked
            stretches; None when nothing blocked.
        loop_delay_ms: Worst lateness of a timer on the event loop; None under WSGI.
        thread_held_ms: Wall time per request in which a worker thread was held; None under ASGI.
        cpu_shares: Share of CPU samples by top-level package of the innermost library frame.
    """

    requests: int
    threads_started: float
    connections_held: int
    connections_opened: float
    pool_max: int | None = None
    loop_held_ms: float | None = None
    loop_cpu_ms: float | None = None
    longest_hold_ms: float | None = None
    blocked_at: str | None = None
    loop_delay_ms: float | None = None
    thread_held_ms: float | None = None
    cpu_shares: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SideResult:
    """One side of a cell, measured.

    Attributes:
        arm: The deployment, with its threads resolved.
        request: Name of the request.
        path: Path that was loaded.
        view_is_async: Whether the view is `async def`; None when it could not be told.
        unloaded_ms: Median latency at one request in flight, milliseconds.
        closed: Rounds of the closed model.
        open: Rounds of the open model, or None.
        quiet_rps: Estimated requests per second on a core of its own, see `judge.capacity`.
        thread_limit: Requests that the server handles at once, None without a limit.
        more_threads: Estimated requests per second with as many threads as the concurrency; None
            where threads do not limit.
        observed: The agent's report, or None.
        neighbour: Rounds of the light neighbour under this side's load, or None.
        neighbour_alone: Latency of the neighbour without that load, or None.
        failures: Reasons of failed requests with their counts.
    """

    arm: Arm
    request: str
    path: str
    view_is_async: bool | None
    unloaded_ms: float
    closed: Series
    open: Series | None
    quiet_rps: float
    thread_limit: int | None = None
    more_threads: float | None = None
    observed: Observed | None = None
    neighbour: Series | None = None
    neighbour_alone: Quantiles | None = None
    failures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PairResult:
    """One pair at one concurrency."""

    pair: str
    question: Question
    concurrency: int
    verdict: Verdict
    a: SideResult
    b: SideResult


@dataclass(frozen=True, slots=True)
class RaceLane:
    """One runner of a race; times from the common start, milliseconds.

    Attributes:
        arm: The deployment.
        path: Path that was requested.
        answered: Right answers.
        first_ms: First answer complete; None when none came.
        last_ms: Last answer complete; None when none came.
        threads: Most threads seen at once.
        thread_limit: Requests that the server handles at once, None without a limit.
    """

    arm: Arm
    path: str
    answered: int
    first_ms: float | None
    last_ms: float | None
    threads: int
    thread_limit: int | None


@dataclass(frozen=True, slots=True)
class RaceResult:
    """One burst against several deployments, one observation each: no interval, no verdict."""

    race: str
    burst: int
    lanes: tuple[RaceLane, ...]


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a run was made; everything a reader needs to repeat or doubt it.

    Attributes:
        freeloop: Version of freeloop.
        started: ISO 8601 time with zone.
        python: Version of the project's interpreter.
        packages: Versions of Django, asgiref, the servers and database drivers in it.
        platform: Kernel and machine.
        cores: Cores of the machine.
        server_cores: Cores that servers were held to; empty when not held.
        client_cores: Cores that the load client was held to; empty when not held.
        databases: One sentence per database: alias, engine, name, pool.
        middleware: Dotted paths, in order.
        command: How to repeat the run.
        load_before: One-minute load average before the first round, None where unknown.
    """

    freeloop: str
    started: str
    python: str
    packages: Mapping[str, str]
    platform: str
    cores: int
    server_cores: tuple[int, ...] = ()
    client_cores: tuple[int, ...] = ()
    databases: tuple[str, ...] = ()
    middleware: tuple[str, ...] = ()
    command: str = ""
    load_before: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A finished (or interrupted) benchmark.

    Attributes:
        environment: Where it was made.
        pairs: Results, in the plan's order.
        races: Races, in the plan's order.
        notes: Sentences about what could not be measured, or is not as in production.
        complete: False when it was interrupted: what was finished is still here.
        refused: Pairs and races that could not be measured, each with what, where and mend.
    """

    environment: Environment
    pairs: tuple[PairResult, ...] = ()
    races: tuple[RaceResult, ...] = ()
    notes: tuple[str, ...] = ()
    complete: bool = True
    refused: tuple[str, ...] = ()
