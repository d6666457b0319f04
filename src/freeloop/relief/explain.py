"""What relief leaves out for the stack of this project, and what not, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """Placeholder until the stack is computed."""


def explain() -> Explanation:
    """Return the explanation of the configured project."""
    return Explanation()
