"""Step: what a long measurement says about itself while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One line of live progress.

    Attributes:
        doing: What runs now, such as "timed round 3, gunicorn gthread".
        title: Pair and concurrency, such as "wait, 50 in flight"; "" outside a pair.
        done: Finished share of the whole plan, 0 to 1.
        left_s: Estimated seconds left.
        known: What is known so far, such as "B / A 2.9 to 3.4 after 4 rounds"; "" when nothing.
    """

    doing: str
    title: str
    done: float
    left_s: float
    known: str = ""


Progress = Callable[[Step], None]
