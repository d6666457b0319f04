"""Verdict: the answer to one question, with its ratio, interval, basis and cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """Shown with a space instead of the underscore."""

    HELPS = "helps"
    NO_DIFFERENCE = "no_difference"
    HURTS = "hurts"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """Where a number comes from; printed beside it every time."""

    MEASURED = "measured"
    PREDICTED = "predicted"
    ESTIMATED = "estimated"


class Cause(StrEnum):
    """Why a pair came out as it did; UNKNOWN unless an observation excludes the others."""

    THREAD_CAP = "thread-cap"
    POOL_CAP = "pool-cap"
    CLIENT_CPU = "client-cpu"
    ASGI_FIXED_COST = "asgi-fixed-cost"
    BLOCKED_LOOP = "blocked-loop"
    CPU_BOUND = "cpu-bound"
    OVERLAPPED_WAITS = "overlapped-waits"
    WAIT_BOUND = "wait-bound"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Interval:
    """An effect as a ratio B / A with its interval.

    Attributes:
        ratio: Geometric mean of the rounds' ratios; above 1 means B does more per second.
        low: Lower end.
        high: Upper end.
        level: Coverage that the interval claims at this look, such as 0.99.
    """

    ratio: float
    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one pair at one concurrency.

    Attributes:
        answer: helps, no difference, hurts or unknown.
        effect: Ratio of quiet-core throughput B / A; None when nothing could be compared.
        basis: Where the effect comes from.
        cause: Why, or UNKNOWN.
        evidence: Observations that single out the cause, one sentence each, with numbers.
        missing: What would be needed to answer, when the answer or the cause is unknown.
        rounds: Rounds per side that the effect rests on.
    """

    answer: Answer
    effect: Interval | None
    basis: Basis
    cause: Cause = Cause.UNKNOWN
    evidence: tuple[str, ...] = ()
    missing: str = ""
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class FalseVerdicts:
    """What equal sides were judged to be.

    Attributes:
        answers: How often each answer was given.
        live: Decisions among them that were taken on the rounds as they ran.
        wrong: Decisions that found a difference where there is none.
        bound: Upper 95 % bound of the share of wrong ones, 0 to 1.
    """

    answers: Mapping[Answer, int]
    live: int
    wrong: int
    bound: float

    @property
    def total(self) -> int:
        """All decisions."""
        return sum(self.answers.values())
