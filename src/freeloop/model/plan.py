"""Plan: which request is served by which deployment, and what is compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from freeloop.model.request import RequestSpec

DEFAULT_CONCURRENCY = (1, 10, 50)


class Question(StrEnum):
    """What a verdict answers: it never answers another question than its own.

    SERVE: the same view unchanged, deployment A or B. REWRITE: view A or its twin B.
    SETTING: threads, pool or another setting, all else equal.
    """

    SERVE = "serve"
    REWRITE = "rewrite"
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class Arm:
    """One deployment of the project.

    Attributes:
        name: Label; unique within a plan.
        server: "gunicorn:sync", "gunicorn:gthread", "uvicorn", "granian:wsgi" or "granian:asgi".
        workers: Worker processes.
        threads: Threads per worker; None means as many as the highest concurrency of the pair
            where the server has a thread limit, and is ignored elsewhere.
        settings: Django settings that replace the project's own, by name.
        relief: `freeloop.relief` installed, or forbidden; None leaves it to the project. ASGI
            servers only.
    """

    name: str
    server: str
    workers: int = 1
    threads: int | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    relief: bool | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One request served by one deployment."""

    arm: Arm
    request: RequestSpec


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sides and the question between them; A is the baseline, B the candidate.

    Attributes:
        id: Label; unique within a plan.
        question: What the verdict answers.
        a: Baseline.
        b: Candidate.
        concurrency: Requests in flight, each its own cell of the result.
        neighbour: A light request loaded beside both sides, or None.
    """

    id: str
    question: Question
    a: Side
    b: Side
    concurrency: tuple[int, ...] = DEFAULT_CONCURRENCY
    neighbour: RequestSpec | None = None


@dataclass(frozen=True, slots=True)
class Race:
    """One burst of simultaneous requests against several sides: times, and no verdict.

    Attributes:
        id: Label; unique within a plan.
        burst: How many requests start together.
        sides: Who runs; the first is the baseline.
    """

    id: str
    burst: int
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one `freeloop bench` measures, in order."""

    pairs: tuple[Pair, ...] = ()
    races: tuple[Race, ...] = ()
