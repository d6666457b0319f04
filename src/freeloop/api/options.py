"""How a benchmark is run and a request recorded, as the caller chooses."""

from __future__ import annotations

from dataclasses import dataclass

from freeloop.model.request import RequestSpec
from freeloop.model.trace import Trace


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """How a benchmark is run.

    Attributes:
        allow_writes: Permit other methods than GET and HEAD.
        max_rounds: Rounds per side and concurrency at the most, at least 5; None for the judge's
            schedule.
        all_rounds: Take all rounds before the only look, whatever they show: for A/A runs.
        command: How to repeat the run, for the report.
    """

    allow_writes: bool = False
    max_rounds: int | None = None
    all_rounds: bool = False
    command: str = ""


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """How a request is recorded, as its caller chooses.

    Attributes:
        allow_writes: Permit other methods than GET and HEAD.
        lines: Whether line steps of the project's code are recorded.
        interface: "asgi" or "wsgi".
        relief: Whether `freeloop.relief` is installed before the application is made.
        warm_up: Whether the request runs once before, unrecorded.
        timeout_s: How long it may take.
        leave_after_s: When the client closes the connection; None if it waits for the answer.
    """

    allow_writes: bool = False
    lines: bool = True
    interface: str = "asgi"
    relief: bool = False
    warm_up: bool = True
    timeout_s: float = 30.0
    leave_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """What is predicted, as the caller chooses.

    Attributes:
        concurrency: Requests in flight.
        threads: Of the smaller gthread deployment; the other has one for each request in flight.
        what_ifs: Changes, such as "awaited+gathered" or "pool=20".
        twin: The view's other version, sync or async, for the verdict on rewrite; or None.
        recorded: The trace to start from; None records one.
        allow_writes: Permit other methods than GET and HEAD.
    """

    concurrency: tuple[int, ...] = (50, 200)
    threads: int = 20
    what_ifs: tuple[str, ...] = ()
    twin: RequestSpec | None = None
    recorded: Trace | None = None
    allow_writes: bool = False
