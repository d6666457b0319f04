"""Predict: structure from a trace, cost from bursts, then every deployment at any concurrency."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from freeloop.api.benchmark import open_bench
from freeloop.api.calibration import calibrate
from freeloop.api.changes import parse_changes
from freeloop.api.machine import split_cores
from freeloop.api.options import BenchOptions, PredictOptions, TraceOptions
from freeloop.api.preparation import Prepared, prepare
from freeloop.api.tracing import record_trace
from freeloop.errors import FreeloopError
from freeloop.judge.calibrate import (
    DISTURBED,
    growth,
    library_growth,
    network_of,
    taken_share,
)
from freeloop.judge.predict import judged, predicted
from freeloop.judge.reading import read
from freeloop.judge.request_structure import Structure, structure_of
from freeloop.judge.what_if import Change, Known, changed
from freeloop.measure.call_cost import call_costs
from freeloop.model.plan import Arm, Pair, Plan, Question, Side
from freeloop.model.prediction import (
    Calibration,
    CallCost,
    Growth,
    Judged,
    Network,
    Predicted,
    Prediction,
    WhatIf,
)
from freeloop.model.progress import Progress, Step
from freeloop.model.request import RequestSpec
from freeloop.model.trace import Trace

GTHREAD = Arm("gthread", "gunicorn:gthread")
UVICORN = Arm("uvicorn", "uvicorn", relief=False)
RELIEVED = Arm("relieved", "uvicorn", relief=True)


@dataclass(frozen=True, slots=True)
class Viewed:
    """One request with what is known of it.

    Attributes:
        spec: What is sent.
        structure: From its trace.
        calibrations: By the arm's name.
        calls: CPU of a call by client, measured apart.
    """

    spec: RequestSpec
    structure: Structure
    calibrations: Mapping[str, Calibration]
    calls: Mapping[str, CallCost]

    def network(self, arm: Arm) -> Network:
        """Return its network on a deployment that was measured."""
        return network_of(self.calibrations[arm.name], self.structure, asgi=arm.server == "uvicorn")

    def growth(self, calibration: Calibration) -> Growth | None:
        """Return why there is no number; None where there is one."""
        found = growth(calibration)
        return found or library_growth(calibration, self.structure, self.calls)

    def predicted(self, arm: Arm, name: str, concurrency: tuple[int, ...]) -> Predicted:
        """Return the forecast of a deployment that was measured."""
        calibration = self.calibrations[arm.name]
        return predicted(
            name,
            self.network(arm),
            concurrency,
            growth=self.growth(calibration),
            measured=calibration.bursts,
        )

    def threaded(self, threads: int, concurrency: tuple[int, ...]) -> Predicted:
        """Return the forecast of gthread with so many threads; measured with 32.

        A burst of more requests than these threads says nothing about them.
        """
        calibration = self.calibrations[GTHREAD.name]
        return predicted(
            f"gunicorn:gthread, {threads} threads",
            replace(self.network(GTHREAD), front=threads),
            concurrency,
            growth=self.growth(calibration),
            measured=tuple(burst for burst in calibration.bursts if burst.concurrency <= threads),
        )


def predict_request(
    request: RequestSpec,
    *,
    start: Path,
    settings: str | None,
    python: str | None,
    options: PredictOptions,
    progress: Progress,
    announce: Callable[[str], None],
) -> Prediction:
    """Carry out `freeloop.predict`."""
    for text in options.what_ifs:
        parse_changes(text)  # a mistyped one is refused before anything is loaded
    requests = [request, *([options.twin] if options.twin else [])]
    traces = [
        options.recorded
        if each is request and options.recorded is not None
        else record_trace(
            each,
            start=start,
            settings=settings,
            python=python,
            options=TraceOptions(allow_writes=options.allow_writes),
            announce=announce,
        )
        for each in requests
    ]
    for trace in traces:
        refuse_unfit(trace)
    arms = [
        arms_for(async_view=trace.request.async_view, twin=bool(number))
        for number, trace in enumerate(traces)
    ]
    plan = _plan(list(zip(requests, arms, strict=True)))
    progress(Step("questioning the project", "", 0.0, 0.0))
    prepared = prepare(
        plan, start=start, settings=settings, python=python, allow_writes=options.allow_writes
    )
    cores = split_cores()
    notes = [*prepared.notes]
    with open_bench(plan, prepared, cores, BenchOptions(), progress, notes) as bench:
        calls = costs_of_calls(prepared, cores[0])
        measured = []
        for spec, trace, its_arms in zip(requests, traces, arms, strict=True):
            structure = structure_of(
                read(trace),
                executor_slots=executor_slots(prepared, cores[0]),
                pool_slots=pool_slots(prepared),
            )
            found = {}
            for arm in its_arms:
                with bench.clock.part(bench.clock.pair_s(1, neighbour=False)):
                    found[arm.name] = calibrate(bench, Side(arm, spec))
                notes += _disturbed(found[arm.name])
            measured.append(Viewed(spec, structure, found, calls))
    twin = measured[1] if len(measured) > 1 else None
    return concluded(measured[0], twin, options, notes)


def _disturbed(calibration: Calibration) -> list[str]:
    """Return what a reader must know of bursts that other programs disturbed to the last try."""
    share = taken_share(calibration)
    if share <= DISTURBED:
        return []
    arm = f"{calibration.arm.server}{' with relief' if calibration.arm.relief else ''}"
    said = f"in the calmest bursts on {arm} others had {share:.0%} of the core time that it wanted"
    return [f"{said}: its rates may be predicted too low, try again on a quiet machine"]


def concluded(
    view: Viewed,
    twin: Viewed | None,
    options: PredictOptions,
    notes: Sequence[str],
) -> Prediction:
    """Return what is predicted of a view, from what is known of it alone.

    Args:
        view: Traced, and loaded on all that `arms_for` names.
        twin: Its other version; None without one.
        options: What is asked.
        notes: What could not be measured.
    """
    steps = {text: parse_changes(text) for text in options.what_ifs}
    asked = tuple(sorted(set(options.concurrency)))
    few, many = options.threads, max(*asked, options.threads)
    deployments = [view.threaded(few, asked)]
    if many > few:
        deployments.append(view.threaded(many, asked))
    plain = view.predicted(UVICORN, "uvicorn", asked)
    relieved = view.predicted(RELIEVED, "uvicorn with relief", asked)
    deployments += [plain, relieved]
    known = Known(
        structure=view.structure,
        calls=view.calls,
        relieved=relieved.network,
        plain=plain.network,
        relieved_growth=relieved.growth,
    )
    what_ifs = [
        _what_if(text, changes, deployments[0], plain, known, asked)
        for text, changes in steps.items()
    ]
    threaded = deployments[-3]
    verdicts = [
        *(_judge(Question.SETTING, deployments[0], threaded, asked) if many > few else ()),
        *_judge(Question.SETTING, plain, relieved, asked),
    ]
    if twin is not None:
        other, sides = _with_twin(view, twin, threaded, plain, many, asked)
        deployments.append(other)
        verdicts += _judge(Question.REWRITE, *sides, asked)
    elif view.structure.async_view is False:
        rewritten = _what_if("awaited", (Change("awaited"),), threaded, plain, known, asked)
        if rewritten.after is not None:
            verdicts += _judge(Question.REWRITE, threaded, rewritten.after, asked)
            if "awaited" not in steps:
                what_ifs.append(rewritten)
    return Prediction(
        path=view.spec.url or view.spec.name,
        twin=(twin.spec.url or twin.spec.name) if twin else "",
        concurrency=asked,
        deployments=tuple(deployments),
        verdicts=tuple(verdicts),
        what_ifs=tuple(what_ifs),
        notes=tuple(notes),
    )


def _with_twin(
    view: Viewed,
    twin: Viewed,
    threaded: Predicted,
    plain: Predicted,
    many: int,
    asked: tuple[int, ...],
) -> tuple[Predicted, tuple[Predicted, Predicted]]:
    """Return the twin's deployment, and both versions where they belong.

    An async view belongs on uvicorn, a sync one on threads. The baseline is the view that was
    asked for, but for an async view with a sync twin: there the sync one is.
    """
    if twin.structure.async_view:
        other = twin.predicted(UVICORN, f"uvicorn, {twin.spec.url}", asked)
    else:
        other = twin.threaded(many, asked)
        other = replace(other, name=f"{other.name}, {twin.spec.url}")
    mine = plain if view.structure.async_view else threaded
    if view.structure.async_view and not twin.structure.async_view:
        return other, (other, mine)
    return other, (mine, other)


def _what_if(
    text: str,
    changes: Sequence[Change],
    threads: Predicted,
    plain: Predicted,
    known: Known,
    asked: tuple[int, ...],
) -> WhatIf:
    """Return a changed deployment: threads change gthread, all else the async server."""
    before = threads if changes[0].verb == "threads" else plain
    network, grown = before.network, before.growth
    remarks: list[str] = []
    for change in changes:
        found = changed(network, change, known)
        network = found.network
        if grown is not None and grown.of_call and grown.library in found.replaced:
            grown = None
        if change.verb == "relief" and not (grown and grown.of_call):
            grown = known.relieved_growth  # a cost that grew in Django's hops does not grow now
        grown = found.growth or grown
        remarks += found.remarks
    after = predicted(f"{before.name}, {text}", network, asked, growth=grown)
    return WhatIf(text, before.name, after, tuple(remarks))


def _judge(question: Question, a: Predicted, b: Predicted, asked: tuple[int, ...]) -> list[Judged]:
    return [
        Judged(question, a.name, b.name, number, judged(a.at(number), b.at(number)))
        for number in asked
    ]


def arms_for(*, async_view: bool | None, twin: bool) -> tuple[Arm, ...]:
    """Return where a request is measured; a twin only where its kind belongs."""
    if twin:
        return (UVICORN,) if async_view else (GTHREAD,)
    return (GTHREAD, UVICORN, RELIEVED)


def _plan(requests: Sequence[tuple[RequestSpec, tuple[Arm, ...]]]) -> Plan:
    """Return the bursts as a plan: what bench must prepare, and how long it takes."""
    return Plan(
        pairs=tuple(
            Pair(f"{spec.name} {arm.name}", Question.SERVE, Side(arm, spec), Side(arm, spec), (1,))
            for spec, arms in requests
            for arm in arms
        )
    )


def refuse_unfit(trace: Trace) -> None:
    """Raise for a trace that no structure can be read from."""
    asked = trace.request
    if asked.error or asked.status is None:
        raise FreeloopError(
            "nothing-to-predict",
            what=f"{asked.path} was not answered: {asked.error or 'it took too long'}",
            where="the trace that the prediction starts from",
            mend="make the view answer one request first",
        )
    if asked.interface != "asgi" or asked.relieved:
        raise FreeloopError(
            "predict-wants-asgi",
            what="a prediction starts from a trace through the ASGI handler, without relief",
            where="--wsgi, --relief",
            mend="leave them out: WSGI and relief are predicted beside it",
        )


def costs_of_calls(prepared: Prepared, server_cores: Sequence[int]) -> dict[str, CallCost]:
    """Return the CPU of a call by client, measured now in the project's interpreter."""
    found = call_costs(str(prepared.project.python), cores=server_cores)
    return {name: CallCost(*cost) for name, cost in found.items()}


def executor_slots(prepared: Prepared, server_cores: Sequence[int]) -> int:
    """Return the threads of a loop's own executor in the server; as `ThreadPoolExecutor` counts."""
    version = tuple(int(part) for part in prepared.facts.python.split(".")[:2])
    # From 3.13 on the cores that the process is held to count.
    counted = len(server_cores) if server_cores and version >= (3, 13) else os.cpu_count() or 1
    return min(32, counted + 4)


def pool_slots(prepared: Prepared) -> int | None:
    """Return the most connections of the first database pool; None without one."""
    return next((each.pool_max for each in prepared.facts.databases if each.pooled), None)
