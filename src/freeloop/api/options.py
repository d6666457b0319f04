"""How a benchmark is run, as its caller chooses."""

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
