"""How a benchmark is run and a request recorded, as the caller chooses."""

from __future__ import annotations

from dataclasses import dataclass


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
