"""The use cases as functions; the door of every face. Engines are imported when called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from freeloop.api.options import BenchOptions, PredictOptions, TraceOptions

if TYPE_CHECKING:
    from freeloop.model.check import Check
    from freeloop.model.finding import Findings
    from freeloop.model.plan import Plan
    from freeloop.model.prediction import Prediction
    from freeloop.model.progress import Progress
    from freeloop.model.reading import Reading
    from freeloop.model.relief import ReliefReport
    from freeloop.model.request import RequestSpec
    from freeloop.model.run import PairResult, Run
    from freeloop.model.stack import StackReport
    from freeloop.model.trace import Trace

__all__ = [
    "BenchOptions",
    "bench",
    "check",
    "doctor",
    "explain_relief",
    "predict",
    "simulate_stack",
    "trace",
]


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


def check(
    paths: Sequence[Path] = (),
    *,
    start: Path | None = None,
    settings: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    use_cache: bool = True,
) -> Findings:
    """Return what crashes, blocks the event loop or wastes in a project, read and never run.

    Args:
        paths: Files and directories that the findings should be about; the project when empty.
        start: Directory in or above which the project lies; the current one if None.
        settings: Settings module; found as `freeloop doctor` shows when None.
        select: Ids or names of the rules to ask; all when empty.
        ignore: Rules that are not asked all the same.
        use_cache: Whether to keep what was read for the next run.

    Raises:
        FreeloopError: If a path, the settings module or a rule does not exist.
    """
    from freeloop.api.checking import check_code
    from freeloop.api.choice import Choice

    return check_code(
        paths,
        start=start or Path.cwd(),
        settings=settings,
        choice=Choice(select=tuple(select), ignore=tuple(ignore)),
        use_cache=use_cache,
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


def simulate_stack(
    *, start: Path | None = None, settings: str | None = None, python: str | None = None
) -> StackReport:
    """Return what the project's middleware costs, layer by layer, and in which order it costs less.

    Computed in the project's own interpreter from the chain that its Django builds; no request runs
    and no database is opened. Other orders are built too, for two seconds at the most.

    Args:
        start: Directory in or above which the project lies; the current one if None.
        settings: Settings module; found as `freeloop doctor` shows when None.
        python: The project's interpreter; the running one if None.

    Raises:
        FreeloopError: If the project cannot be loaded.
    """
    from freeloop.api.stack import report

    return report(start=start or Path.cwd(), settings=settings, python=python)


def trace(
    request: RequestSpec | str,
    *,
    start: Path | None = None,
    settings: str | None = None,
    python: str | None = None,
    user: str | None = None,
    allow_writes: bool = False,
    lines: bool = True,
    interface: Literal["asgi", "wsgi"] = "asgi",
    relief: bool = False,
    warm_up: bool = True,
    timeout_s: float = 30.0,
    leave_after_s: float | None = None,
    announce: Callable[[str], None] | None = None,
) -> Trace:
    """Run one request through the project's own handler and return what happened inside.

    Args:
        request: The request, its path, or the name of its view.
        start: Directory in or above which the project lies; the current one if None.
        settings: Settings module; found as `freeloop doctor` shows when None.
        python: The project's interpreter; the running one if None.
        user: Whose session is sent; made for the request and removed after it.
        allow_writes: Permit other methods than GET and HEAD.
        lines: Whether line steps of the project's code are recorded.
        interface: Which of the project's applications answers.
        relief: Whether `freeloop.relief` is installed before the application is made.
        warm_up: Whether the request runs once before, unrecorded: first ones import and connect.
        timeout_s: How long it may take.
        leave_after_s: When the client closes the connection; None if it waits for the answer.
        announce: Told, before the request, which databases the project uses.

    Returns:
        The trace; a request that raises or takes too long is recorded too, and says so.

    Raises:
        FreeloopError: If the project or the request does not allow it.
    """
    from freeloop.api.tracing import record_trace
    from freeloop.source.requests import parse_target

    asked = parse_target(request) if isinstance(request, str) else request
    return record_trace(
        replace(asked, user=asked.user or user),
        start=start or Path.cwd(),
        settings=settings,
        python=python,
        options=TraceOptions(
            allow_writes=allow_writes,
            lines=lines,
            interface=interface,
            relief=relief,
            warm_up=warm_up,
            timeout_s=timeout_s,
            leave_after_s=leave_after_s,
        ),
        announce=announce or (lambda line: None),
    )


def predict(
    request: RequestSpec | str,
    *,
    start: Path | None = None,
    settings: str | None = None,
    python: str | None = None,
    user: str | None = None,
    concurrency: Sequence[int] = (50, 200),
    threads: int = 20,
    what_ifs: Sequence[str] = (),
    twin: RequestSpec | str | None = None,
    recorded: Trace | None = None,
    allow_writes: bool = False,
    progress: Progress | None = None,
    announce: Callable[[str], None] | None = None,
) -> Prediction:
    """Return what deployments would do with many requests in flight, from a trace and short bursts.

    gthread, uvicorn, and uvicorn with relief serve the request for three bursts each, of 1, 8 and
    32 in flight; the rest is computed.

    Args:
        request: The request, its path, or the name of its view.
        start: Directory in or above which the project lies; the current one if None.
        settings: Settings module; found as `freeloop doctor` shows when None.
        python: The project's interpreter; the running one if None.
        user: Whose session is sent; made for the bursts and removed after them.
        concurrency: Requests in flight to predict.
        threads: Of the smaller gthread deployment; the other has one for each request in flight.
        what_ifs: Changes to think through: "awaited", "gathered", "offloaded", "relief", "pool=20",
            "threads=100"; joined by "+"; "awaited=requests" for calls of that text or place only.
        twin: The view's other version, sync or async: the verdict on rewrite then rests on bursts
            of both.
        recorded: A trace of the request through the ASGI handler; None records one.
        allow_writes: Permit other methods than GET and HEAD.
        progress: Told what runs, several times a second at the most.
        announce: Told, before the first request, which databases the project uses.

    Returns:
        The prediction; every number of it has the basis predicted.

    Raises:
        FreeloopError: If the project, the request or a what-if does not allow it.
    """
    from freeloop.api.predicting import predict_request
    from freeloop.source.requests import parse_target

    def asked(target: RequestSpec | str) -> RequestSpec:
        spec = parse_target(target) if isinstance(target, str) else target
        return replace(spec, user=spec.user or user)

    return predict_request(
        asked(request),
        start=start or Path.cwd(),
        settings=settings,
        python=python,
        options=PredictOptions(
            concurrency=tuple(concurrency),
            threads=threads,
            what_ifs=tuple(what_ifs),
            twin=None if twin is None else asked(twin),
            recorded=recorded,
            allow_writes=allow_writes,
        ),
        progress=progress or (lambda step: None),
        announce=announce or (lambda line: None),
    )


def read(trace: Trace) -> Reading:
    """Return timeline, totals, execution table, key moments and findings of a trace."""
    from freeloop.judge.reading import read as read_trace

    return read_trace(trace)
