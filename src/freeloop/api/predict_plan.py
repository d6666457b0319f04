"""The pairs of a plan predicted instead of measured; what benchmarks/prediction.py compares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from freeloop.api.benchmark import open_bench
from freeloop.api.calibration import calibrate
from freeloop.api.machine import split_cores
from freeloop.api.options import BenchOptions, PredictOptions, TraceOptions
from freeloop.api.predicting import (
    GTHREAD,
    RELIEVED,
    UVICORN,
    Viewed,
    concluded,
    costs_of_calls,
    executor_slots,
    pool_slots,
    refuse_unfit,
)
from freeloop.api.preparation import Prepared, prepare
from freeloop.api.serving import Bench
from freeloop.api.tracing import record_target
from freeloop.judge.calibrate import growth, library_growth, network_of
from freeloop.judge.predict import forecast, judged
from freeloop.judge.reading import read
from freeloop.judge.request_structure import Structure, structure_of
from freeloop.measure.servers import server_named
from freeloop.model.plan import Arm, Pair, Plan, Side
from freeloop.model.prediction import Calibration, CallCost, Forecast, Prediction
from freeloop.model.request import RequestSpec
from freeloop.model.verdict import Verdict

WHAT_IF_ARMS = (GTHREAD, UVICORN, RELIEVED)


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
class Grounds:
    """All that predictions rest on; plain data, so that they can be made again from a file.

    Attributes:
        structures: From traces, by the request's name.
        calibrations: Bursts by side; taken once for all pairs that share it.
        calls: CPU of a call by client.
    """

    structures: dict[str, Structure] = field(default_factory=dict)
    calibrations: dict[str, Calibration] = field(default_factory=dict)
    calls: dict[str, CallCost] = field(default_factory=dict)

    def forget(self, sides: Iterable[str]) -> None:
        """Drop the bursts of sides, by their `key_of`, and traces for which no bursts are left."""
        for side in sides:
            self.calibrations.pop(side, None)
        left = tuple(self.calibrations)
        for name in list(self.structures):
            if not any(key.endswith(f" {name}") for key in left):
                del self.structures[name]


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Traces and loads what predictions ask for and the grounds do not hold yet.

    Attributes:
        bench: Serves and loads; measuring may go on with it.
        prepared: The project.
        grounds: What was gathered so far.
    """

    bench: Bench
    prepared: Prepared
    grounds: Grounds

    def gather(self, sides: Iterable[Side]) -> None:
        """Trace the requests of the sides and load their deployments in bursts.

        Raises:
            FreeloopError: Where a side cannot be traced or loaded.
        """
        known, cores = self.grounds, self.bench.server_cores
        if not known.calls:
            known.calls.update(costs_of_calls(self.prepared, cores))
        for side in sides:
            name = side.request.name
            if name not in known.structures:
                trace = record_target(
                    self.prepared.project,
                    self.prepared.facts,
                    self.bench.targets[name],
                    TraceOptions(),
                )
                refuse_unfit(trace)
                known.structures[name] = structure_of(
                    read(trace),
                    executor_slots=executor_slots(self.prepared, cores),
                    pool_slots=pool_slots(self.prepared),
                )
            if (key := key_of(side)) not in known.calibrations:
                loaded = Side(_open(side.arm), side.request)
                known.calibrations[key] = calibrate(self.bench, loaded)


@contextmanager
def gathering(plan: Plan, *, start: Path, grounds: Grounds) -> Iterator[Gatherer]:
    """Give what traces and loads the requests of a plan until the block ends."""
    prepared = prepare(plan, start=start, settings=None, python=None, allow_writes=False)
    with open_bench(plan, prepared, split_cores(), BenchOptions(), lambda step: None, []) as bench:
        yield Gatherer(bench, prepared, grounds)


def predict_pair(pair: Pair, grounds: Grounds) -> tuple[PredictedCell, ...]:
    """Return the prediction of a pair at each of its concurrencies, from the grounds alone."""
    cells = []
    for number in pair.concurrency:
        a, b = (_forecast(side, pair, number, grounds) for side in (pair.a, pair.b))
        cells.append(PredictedCell(pair.id, number, a, b, judged(a, b)))
    return tuple(cells)


def predict_view(request: RequestSpec, options: PredictOptions, grounds: Grounds) -> Prediction:
    """Return what `freeloop.predict` says of a request, from the grounds alone."""
    viewed = Viewed(
        spec=request,
        structure=grounds.structures[request.name],
        calibrations={
            arm.name: grounds.calibrations[key_of(Side(arm, request))] for arm in WHAT_IF_ARMS
        },
        calls=grounds.calls,
    )
    return concluded(viewed, None, options, ())


def _forecast(side: Side, pair: Pair, concurrency: int, grounds: Grounds) -> Forecast:
    server = server_named(side.arm.server)
    calibration = grounds.calibrations[key_of(side)]
    structure = grounds.structures[side.request.name]
    network = network_of(calibration, structure, asgi=server.interface == "asgi")
    if server.has_threads:
        network = replace(network, front=_front(side.arm, pair))
    grown = growth(calibration) or library_growth(calibration, structure, grounds.calls)
    return forecast(network, concurrency, grown)


def _open(arm: Arm) -> Arm:
    """Return the deployment as bursts load it: with a thread for each request."""
    return replace(arm, threads=None) if server_named(arm.server).has_threads else arm


def key_of(side: Side) -> str:
    """Return the name under which the bursts of a side are kept, the same in all pairs."""
    arm = side.arm
    relief = {True: "with relief", False: "without relief", None: "as it is"}[arm.relief]
    parts = (arm.server, f"{arm.workers} workers", relief, *map(repr, arm.settings.items()))
    return " ".join((*parts, side.request.name))


def _front(arm: Arm, pair: Pair) -> int:
    """Return the requests that a threaded server takes in, as bench sets it up for the pair."""
    threads = arm.threads or max(1, -(-max(pair.concurrency) // arm.workers))
    return threads * arm.workers
