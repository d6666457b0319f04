"""Prediction: what deployments of a project would do, from one trace and three short bursts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from freeloop.model.plan import Arm, Question
from freeloop.model.verdict import Verdict


class LimitKind(StrEnum):
    """What lets only so many requests through at once, somewhere inside the request.

    EXECUTOR: the loop's own executor, which `asyncio.to_thread` uses. CLIENT: connections of an
    HTTP client. DATABASE: the database pool. LOCK: a lock. UNSEEN: the burst at 32 was held back
    by something that neither the trace nor the cores explain.
    """

    EXECUTOR = "executor"
    CLIENT = "client"
    DATABASE = "database"
    LOCK = "lock"
    UNSEEN = "unseen"


class Bottleneck(StrEnum):
    """What more requests in flight would queue for.

    CORE: CPU. LOOP: an event loop that waits in a blocking call. THREADS: threads or workers of
    the server. NONE: nothing; each request takes as long as one alone.
    """

    CORE = "core"
    LOOP = "loop"
    THREADS = "threads"
    EXECUTOR = "executor"
    CLIENT = "client"
    DATABASE = "database"
    LOCK = "lock"
    UNSEEN = "unseen"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Limit:
    """A part of the request in which only so many may be at once.

    Attributes:
        kind: What limits.
        slots: How many may be inside, over all workers.
        held_ms: How long one request is inside; part of the network's `wait_ms`.
    """

    kind: LimitKind
    slots: int
    held_ms: float


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of one request by how many are in flight, milliseconds.

    Attributes:
        alone_ms: With one in flight.
        at_8_ms: With eight.
        at_32_ms: With thirty-two.
        added_ms: What a change of the view adds (or, negative, saves) at any number in flight.
        doubt: Standard deviation of the logarithm: how far another burst may come out.
    """

    alone_ms: float
    at_8_ms: float
    at_32_ms: float
    added_ms: float = 0.0
    doubt: float = 0.0


@dataclass(frozen=True, slots=True)
class CallCost:
    """CPU of one call of a library, by itself, milliseconds.

    Attributes:
        at_8_ms: With eight calls in flight.
        at_32_ms: With thirty-two.
    """

    at_8_ms: float
    at_32_ms: float


@dataclass(frozen=True, slots=True)
class Network:
    """One deployment and one request as a closed network; see `judge.closed_network`.

    Attributes:
        cost: CPU of one request.
        wait_ms: It waited and held neither a core nor the event loop; parts of it may be limited.
        blocked_ms: It held the event loop in a waiting call; 0 under WSGI, where that is a wait.
        front: Requests that the server takes in at once; None without a limit.
        limits: Inside the request.
        cores: Cores that its processes can use: one interpreter lock each.
        workers: Processes, each with a loop of its own.
        in_step: How far requests go in step, 0 to 1: all wait together, then all want the core
            together. Django's hops make it so: a loop takes every request one hop further in turn.
        in_step_doubt: How far `in_step` may be off.
    """

    cost: Cost
    wait_ms: float
    blocked_ms: float = 0.0
    front: int | None = None
    limits: tuple[Limit, ...] = ()
    cores: int = 1
    workers: int = 1
    in_step: float = 0.0
    in_step_doubt: float = 0.0


@dataclass(frozen=True, slots=True)
class Burst:
    """One short load of the closed model on one deployment.

    Attributes:
        concurrency: Requests in flight.
        completed: Right answers.
        failed: Wrong ones.
        rate_rps: Right answers per second.
        latency_ms: Median.
        cpu_ms: CPU of the server's process tree per request.
        busy: Share of time on a core or ready for one, per core it could use.
        queue_ms: Run-queue delay per request; None where the kernel does not tell.
    """

    concurrency: int
    completed: int
    failed: int
    rate_rps: float
    latency_ms: float
    cpu_ms: float
    busy: float
    queue_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """The bursts at 1, 8 and 32 on one deployment.

    Attributes:
        arm: The deployment, with the threads it was given.
        path: What was loaded.
        bursts: By rising concurrency.
        thread_limit: Requests that it handled at once; None without a limit.
        cores: Cores that it could use.
        cpu_by_library: CPU per request by top-level package at 8 and at 32, milliseconds; empty
            unless the cost grew.
    """

    arm: Arm
    path: str
    bursts: tuple[Burst, ...]
    thread_limit: int | None
    cores: int
    cpu_by_library: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one deployment would do at one concurrency, mean values.

    Attributes:
        concurrency: Requests in flight, closed model.
        rate_rps: Requests per second; None where no number can be given.
        low_rps: Lower end.
        high_rps: Upper end.
        bottleneck: What more in flight would queue for.
    """

    concurrency: int
    rate_rps: float | None
    low_rps: float
    high_rps: float
    bottleneck: Bottleneck

    @property
    def mean_ms(self) -> float | None:
        """Mean latency, by Little's law; None without a rate."""
        return 1000 * self.concurrency / self.rate_rps if self.rate_rps else None


@dataclass(frozen=True, slots=True)
class Growth:
    """The cost of a request grows with the number in flight: no number beyond the bursts.

    Attributes:
        ratio: CPU at 32 in flight over that at 8.
        library: Package whose CPU grew most; "" where the samples name none.
        of_call: Whether it is the CPU of one call of the library, measured apart; else of the
            whole request.
    """

    ratio: float
    library: str
    of_call: bool = False


@dataclass(frozen=True, slots=True)
class Predicted:
    """One deployment.

    Attributes:
        name: "gunicorn:gthread, 20 threads".
        network: What was solved.
        forecasts: At the concurrencies that were asked for.
        curve: From 1 to the highest of them, for the chart.
        knee: Requests in flight from which on they queue; None if not known.
        measured: The bursts that hold for it; empty for a deployment that was only thought of.
        growth: Why there is no number; None where there is.
    """

    name: str
    network: Network
    forecasts: tuple[Forecast, ...]
    curve: tuple[Forecast, ...]
    knee: float | None
    measured: tuple[Burst, ...] = ()
    growth: Growth | None = None

    def at(self, concurrency: int) -> Forecast:
        """Return the forecast at one of the concurrencies asked for."""
        return next(each for each in self.forecasts if each.concurrency == concurrency)


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict of a prediction; basis predicted.

    Attributes:
        question: Rewrite or setting.
        a: Name of the baseline's deployment.
        b: Name of the candidate's.
        concurrency: Requests in flight.
        verdict: The answer.
    """

    question: Question
    a: str
    b: str
    concurrency: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A change that was thought through, not made.

    Attributes:
        asked: As it was asked: "awaited", "gathered+relief", "pool=20".
        before: The deployment that it changes.
        after: What it would do then; None where the change cannot be applied.
        remarks: What was assumed, or why nothing changes.
    """

    asked: str
    before: str
    after: Predicted | None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """What `freeloop trace --predict` concludes.

    Attributes:
        path: What was traced and loaded.
        twin: The other version of the view that was loaded too; "" without one.
        concurrency: As asked for.
        deployments: Measured in bursts, predicted beyond.
        verdicts: On rewrite and setting.
        what_ifs: As asked for.
        notes: What could not be measured, or is assumed.
    """

    path: str
    twin: str
    concurrency: tuple[int, ...]
    deployments: tuple[Predicted, ...]
    verdicts: tuple[Judged, ...] = ()
    what_ifs: tuple[WhatIf, ...] = ()
    notes: tuple[str, ...] = ()
