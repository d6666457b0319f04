"""The use cases as functions; the door of every face. Engines are imported when called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from freeloop.api.options import BenchOptions

if TYPE_CHECKING:
    from freeloop.model.check import Check
    from freeloop.model.plan import Plan
    from freeloop.model.progress import Progress
    from freeloop.model.relief import ReliefReport
    from freeloop.model.run import PairResult, Run

__all__ = ["BenchOptions", "bench", "doctor", "explain_relief"]


def bench(
    plan: Plan | Path,
    *,
    start: Path | None = None,
    settings: str | None = None,
    python: str | None = None,
    options: BenchOptions | None = None,
    progress: Progress | None = None,
    announce: Callable[[str], None] | None = None,
    on_result: Callable[[PairResult], None] | None = None,
) -> Run:
    """Serve the project on real servers, load it, and return what was measured and concluded.

    Args:
        plan: What is compared, or a TOML file that says so.
        start: Directory in or above which the project lies; the current one if None.
        settings: Settings module; found as `freeloop doctor` shows when None.
        python: The project's interpreter; the running one if None.
        options: How the benchmark is run.
        progress: Told what runs, several times a second at the most.
        announce: Told, before the first request, which database the project uses.
        on_result: Told each result as soon as it is known.

    Returns:
        The run; `complete` is False when SIGINT or SIGTERM ended it early, with all that was
        finished by then.

    Raises:
        FreeloopError: If the project, the plan or the machine does not allow it.
    """
    from freeloop.api.benchmark import run_plan
    from freeloop.source.plan import read_plan

    return run_plan(
        read_plan(plan) if isinstance(plan, Path) else plan,
        start=start or Path.cwd(),
        settings=settings,
        python=python,
        options=options or BenchOptions(),
        progress=progress or (lambda step: None),
        announce=announce or (lambda line: None),
        on_result=on_result or (lambda result: None),
    )


def doctor(
    start: Path, *, settings: str | None = None, python: str | None = None
) -> Sequence[Check]:
    """Examine interpreter, settings, servers, database and extras; never raises for a finding."""
    from freeloop.source.doctor import examine

    return examine(start, settings=settings, python=python)


def explain_relief(
    url: str | None = None,
    *,
    start: Path | None = None,
    settings: str | None = None,
    python: str | None = None,
    announce: Callable[[str], None] | None = None,
) -> ReliefReport:
    """Return what relief leaves out for the project, computed in its own interpreter.

    Args:
        url: A path, or the name of a view: its GET is also counted, stock and relieved, on Django's
            ASGI handler inside the project's interpreter. None runs no request.
        start: Directory in or above which the project lies; the current one if None.
        settings: Settings module; found as `freeloop doctor` shows when None.
        python: The project's interpreter; the running one if None.
        announce: Told, before the first request, which database the project uses.

    Raises:
        FreeloopError: If the project cannot be loaded, or the URL leads nowhere.
    """
    from freeloop.api.relief import report

    return report(
        url,
        start=start or Path.cwd(),
        settings=settings,
        python=python,
        announce=announce or (lambda line: None),
    )
