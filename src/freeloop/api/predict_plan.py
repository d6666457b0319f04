"""The pairs of a plan predicted instead of measured; what benchmarks/prediction.py compares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from freeloop.api.benchmark import open_bench
from freeloop.api.calibration import calibrate
from freeloop.api.machine import split_cores
from freeloop.api.options import BenchOptions, TraceOptions
from freeloop.api.predicting import costs_of_calls, executor_slots, pool_slots, refuse_unfit
from freeloop.api.preparation import prepare
from freeloop.api.serving import Bench
from freeloop.api.tracing import record_trace
from freeloop.errors import FreeloopError
from freeloop.judge.calibrate import growth, library_growth, network_of
from freeloop.judge.predict import forecast, judged
from freeloop.judge.reading import read
from freeloop.judge.request_structure import Structure, structure_of
from freeloop.measure.servers import server_named
from freeloop.model.plan import Arm, Pair, Plan, Side
from freeloop.model.prediction import Calibration, CallCost, Forecast
from freeloop.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class PredictedCell:
    """One pair at one concurrency.

    Attributes:
        pair: Its id.
        concurrency: Requests in flight.
        a: Baseline.
        b: Candidate.
        verdict: On the two; basis predicted.
    """

    pair: str
    concurrency: int
    a: Forecast
    b: Forecast
    verdict: Verdict


@dataclass(slots=True)
class _Sides:
    """What was traced and measured so far: many pairs share a side."""

    bench: Bench
    structures: dict[str, Structure]
    calibrations: dict[tuple[object, ...], Calibration]
    calls: dict[str, CallCost]

    def forecast(self, side: Side, pair: Pair, concurrency: int) -> Forecast:
        """Return what a side does, from bursts taken once for all deployments of its kind."""
        arm, server = side.arm, server_named(side.arm.server)
        key = (arm.server, arm.workers, arm.relief, repr(arm.settings), side.request.name)
        if key not in self.calibrations:
            open_arm = replace(arm, threads=None) if server.has_threads else arm
            self.calibrations[key] = calibrate(self.bench, Side(open_arm, side.request))
        calibration = self.calibrations[key]
        structure = self.structures[side.request.name]
        network = network_of(calibration, structure, asgi=server.interface == "asgi")
        if server.has_threads:
            network = replace(network, front=_front(arm, pair))
        grown = growth(calibration) or library_growth(calibration, structure, self.calls)
        return forecast(network, concurrency, grown)


def predict_plan(
    plan: Plan,
    *,
    start: Path,
    settings: str | None = None,
    python: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[PredictedCell, ...]:
    """Return a prediction for every pair and concurrency of a plan.

    A pair that cannot be predicted is left out, and said.
    """
    prepared = prepare(plan, start=start, settings=settings, python=python, allow_writes=False)
    cores = split_cores()
    slots, pool = executor_slots(prepared, cores[0]), pool_slots(prepared)
    structures: dict[str, Structure] = {}
    for request in {side.request.name: side.request for side in _sides(plan)}.values():
        try:
            trace = record_trace(
                request,
                start=start,
                settings=settings,
                python=python,
                options=TraceOptions(),
                announce=lambda line: None,
            )
            refuse_unfit(trace)
        except FreeloopError as error:
            say(f"{request.name}: not traced: {error.what} ({error.where})")
            continue
        structures[request.name] = structure_of(read(trace), executor_slots=slots, pool_slots=pool)
    cells = []
    with open_bench(plan, prepared, cores, BenchOptions(), lambda step: None, []) as bench:
        sides = _Sides(bench, structures, {}, costs_of_calls(prepared, cores[0]))
        for pair in plan.pairs:
            if not {pair.a.request.name, pair.b.request.name} <= structures.keys():
                continue
            try:
                for number in pair.concurrency:
                    a, b = (sides.forecast(side, pair, number) for side in (pair.a, pair.b))
                    cells.append(PredictedCell(pair.id, number, a, b, judged(a, b)))
            except FreeloopError as error:
                say(f"{pair.id}: not predicted: {error.what} ({error.where})")
    return tuple(cells)


def _sides(plan: Plan) -> list[Side]:
    return [side for pair in plan.pairs for side in (pair.a, pair.b)]


def _front(arm: Arm, pair: Pair) -> int:
    """Return the requests that a threaded server takes in, as bench sets it up for the pair."""
    threads = arm.threads or max(1, -(-max(pair.concurrency) // arm.workers))
    return threads * arm.workers
