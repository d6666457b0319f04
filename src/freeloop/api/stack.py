"""Carry out `freeloop.api.simulate_stack`: ask the project's interpreter for the simulation."""

from __future__ import annotations

from pathlib import Path

from freeloop.model.stack import StackReport
from freeloop.source.facts import inspect_project
from freeloop.source.project import find_project
from freeloop.source.relief import simulate


def report(*, start: Path, settings: str | None, python: str | None) -> StackReport:
    """Return what the project's middleware costs, and in which order it would cost less."""
    project = find_project(start, settings=settings, python=python)
    facts = inspect_project(project)
    return StackReport(simulate(project), {"python": facts.python, **facts.packages})
