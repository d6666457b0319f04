"""One pair measured: both sides served, loaded in turn, observed, judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TypedDict

from freeloop.api.serving import Bench, ServedSide
from freeloop.judge.capacity import median_quiet_rps, more_threads
from freeloop.judge.stats import FEWEST_ROUNDS, ratio_interval
from freeloop.judge.verdict import decide, judge, log_ratios
from freeloop.measure.load import Load
from freeloop.measure.rounds import WARM_UP_WINDOW_S, drain, timed_round, warm_up
from freeloop.model.plan import Pair
from freeloop.model.request import RequestSpec
from freeloop.model.run import (
    Arrivals,
    Observed,
    PairResult,
    Quantiles,
    Round,
    Series,
    SideResult,
)

# Of the slower side's capacity: below the knee, where latency is the server's and not a queue's.
OPEN_SHARE = 0.7
NEIGHBOUR_RPS = 20.0


class Limits(TypedDict):
    """What the judge must know of a deployment beside its rounds."""

    unloaded_ms: float
    concurrency: int
    thread_limit: int | None
    cores: int
    workers: int


@dataclass(slots=True)
class Lane:
    """What is gathered about one side of one cell while it is measured."""

    served: ServedSide
    unloaded_ms: float
    concurrency: int
    round_s: float = 1.0
    closed: list[Round] = field(default_factory=list)
    open: list[Round] = field(default_factory=list)
    rate_rps: float | None = None
    neighbour: list[Round] = field(default_factory=list)
    neighbour_alone: Quantiles | None = None
    observed: Observed | None = None
    failures: dict[str, int] = field(default_factory=dict)

    def count(self, failures: dict[str, int]) -> None:
        """Add failed requests by their reason."""
        for reason, number in failures.items():
            self.failures[reason] = self.failures.get(reason, 0) + number

    def result(self, cores: int) -> SideResult:
        """Return the side as far as it was measured."""
        served = self.served
        limits: Limits = {
            "unloaded_ms": self.unloaded_ms,
            "concurrency": self.concurrency,
            "thread_limit": served.thread_limit,
            "cores": cores,
            "workers": served.arm.workers,
        }
        return SideResult(
            arm=served.arm,
            request=served.request.name,
            path=served.request.url or "",
            view_is_async=served.view_is_async,
            unloaded_ms=self.unloaded_ms,
            closed=Series(Arrivals.CLOSED, self.concurrency, None, tuple(self.closed)),
            open=Series(Arrivals.OPEN, self.concurrency, self.rate_rps, tuple(self.open))
            if self.open
            else None,
            quiet_rps=median_quiet_rps(self.closed, **limits),
            thread_limit=served.thread_limit,
            more_threads=more_threads(self.closed, **limits),
            observed=self.observed,
            neighbour=Series(Arrivals.OPEN, self.concurrency, NEIGHBOUR_RPS, tuple(self.neighbour))
            if self.neighbour
            else None,
            neighbour_alone=self.neighbour_alone,
            failures=dict(self.failures),
        )


def measure_pair(bench: Bench, pair: Pair, deliver: Callable[[PairResult], None]) -> None:
    """Measure every concurrency of one pair and deliver a result for each.

    Order: serve both, warm both up, unloaded latency, then per concurrency rounds in the order
    A B B A until the judge has seen enough, the open model, the neighbour; last, both sides
    again behind the agent, which is absent from everything timed. An interrupt delivers the
    concurrencies that were finished, and goes on.
    """
    cells: list[tuple[Lane, Lane]] = []
    try:
        for cell in timed_cells(bench, pair):
            cells.append(cell)  # noqa: PERF402 - an interrupt must leave the finished ones
        _observe(bench, pair, cells)
    finally:
        for lanes in cells:
            a, b = (lane.result(bench.cores) for lane in lanes)
            verdict = judge(pair.question, a, b, cores=bench.cores, looks=bench.looks)
            deliver(PairResult(pair.id, pair.question, lanes[0].concurrency, verdict, a, b))


def timed_cells(bench: Bench, pair: Pair) -> Iterator[tuple[Lane, Lane]]:
    """Yield both sides of each concurrency once its timed rounds are done."""
    most = max(pair.concurrency)
    with ExitStack() as stack:
        sides = [stack.enter_context(bench.serve(side, threads=most)) for side in (pair.a, pair.b)]
        for served in sides:
            bench.say(f"warming up {served.label}", pair.id)
            bench.check_first_answer(served)
            warm(bench, served, most)
        unloaded = [_unloaded(bench, pair, served) for served in sides]
        for number, concurrency in enumerate(pair.concurrency):
            a, b = (
                Lane(served, latency_ms, concurrency)
                for served, latency_ms in zip(sides, unloaded, strict=True)
            )
            share = (number / len(pair.concurrency), (number + 1) / len(pair.concurrency))
            _closed_rounds(bench, pair, (a, b), share)
            _open_rounds(bench, pair, (a, b))
            if pair.neighbour is not None:
                _neighbour_rounds(bench, pair, (a, b), bench.ready(pair.neighbour))
            yield a, b


def warm(bench: Bench, served: ServedSide, concurrency: int) -> None:
    """Load a side until its CPU per request settles."""

    def load(seconds: float) -> Load:
        return served.load(connections=concurrency, seconds=seconds)

    first = bench.engine.run(served.load(connections=1, seconds=0.2))[0]
    latency_s = float(median(first.latency_ms)) / 1000 if first.completed else 0.5
    warm_up(
        bench.engine, served.pid, load, window_s=min(10.0, max(WARM_UP_WINDOW_S, 1.5 * latency_s))
    )
    drain(served.pid, cores=bench.cores)


def _unloaded(bench: Bench, pair: Pair, served: ServedSide) -> float:
    bench.say(f"one request at a time, {served.label}", pair.id)
    seconds = bench.effort.unloaded_s
    while True:
        result = bench.engine.run(served.load(connections=1, seconds=seconds))[0]
        drain(served.pid, cores=bench.cores)
        if result.completed or seconds >= bench.effort.longest_round_s:
            return float(median(result.latency_ms)) if result.completed else 0.0
        # The view takes longer than the whole stretch: its latency must not be shown as zero.
        seconds = min(bench.effort.longest_round_s, 4 * seconds)


def _closed_rounds(
    bench: Bench, pair: Pair, lanes: tuple[Lane, Lane], share: tuple[float, float]
) -> None:
    concurrency = lanes[0].concurrency
    title = f"{pair.id}, {concurrency} in flight"
    last = bench.looks.last
    known = ""
    for lane in lanes:
        lane.round_s = _pace(bench, lane, title)
    for number in range(last):
        for lane in lanes if number % 2 == 0 else lanes[::-1]:
            bench.clock.within(share[0] + (share[1] - share[0]) * 0.7 * number / last)
            bench.say(f"timed round {number + 1}, {lane.served.label}", title, known)
            load = lane.served.load(connections=concurrency, seconds=lane.round_s)
            taken = timed_round(bench.engine, lane.served.pid, load, cores=bench.server_cores)
            lane.closed.append(taken.round)
            lane.count(dict(taken.failures))
            for note in taken.notes:
                bench.note(f"{title}, {lane.served.label}", f"in a timed round {note}")
            bench.rested(drain(lane.served.pid, cores=bench.cores), lane.served)
        a, b = (lane.result(bench.cores) for lane in lanes)
        verdict = decide(a, b, cores=bench.cores, looks=bench.looks)
        if verdict is not None:
            break
        known = _known_so_far(a, b, bench)


def _known_so_far(a: SideResult, b: SideResult, bench: Bench) -> str:
    """Return the interval so far for the progress line; "" before there is one."""
    ratios = log_ratios(a, b, cores=bench.cores)
    if len(ratios) < FEWEST_ROUNDS:
        return ""
    effect = ratio_interval(ratios, level=bench.looks.level)
    return f"B / A {effect.low:.2f} to {effect.high:.2f} after {len(ratios)} rounds"


def _pace(bench: Bench, lane: Lane, title: str) -> float:
    """Return how long this side's rounds must be, from one that does not count.

    It warms the server up at this concurrency too. A round that answers nothing tells nothing:
    the next one is longer.
    """
    served, seconds = lane.served, bench.effort.round_s
    while True:
        bench.say(f"finding the pace, {served.label}", title)
        load = served.load(connections=lane.concurrency, seconds=seconds)
        taken = timed_round(bench.engine, served.pid, load, cores=bench.server_cores)
        drain(served.pid, cores=bench.cores)
        if taken.answered:
            return bench.effort.round_for(taken.wall_s * lane.concurrency / taken.answered)
        if seconds >= bench.effort.longest_round_s:
            return seconds
        seconds = min(bench.effort.longest_round_s, 4 * seconds)


def _open_rounds(bench: Bench, pair: Pair, lanes: tuple[Lane, Lane]) -> None:
    concurrency = lanes[0].concurrency
    rates = [median(each.throughput_rps for each in lane.closed) for lane in lanes]
    if concurrency == 1 or min(rates) <= 0:
        return
    rate_rps = OPEN_SHARE * min(rates)
    slowest_ms = max(lane.unloaded_ms for lane in lanes)
    seconds = max(bench.effort.open_s, 2 * slowest_ms / 1000)
    for number in range(bench.effort.open_rounds):
        for lane in lanes if number % 2 == 0 else lanes[::-1]:
            bench.say(
                f"open model, {rate_rps:.3g} arrivals/s, {lane.served.label}",
                f"{pair.id}, {concurrency} in flight",
            )
            load = replace(
                lane.served.load(connections=max(100, 4 * concurrency), seconds=seconds),
                arrivals=Arrivals.OPEN,
                rate_rps=rate_rps,
            )
            taken = timed_round(bench.engine, lane.served.pid, load, cores=bench.server_cores)
            lane.open.append(taken.round)
            lane.rate_rps = rate_rps
            lane.count(dict(taken.failures))
            drain(lane.served.pid, cores=bench.cores)


def _neighbour_rounds(
    bench: Bench, pair: Pair, lanes: tuple[Lane, Lane], neighbour: RequestSpec
) -> None:
    concurrency = lanes[0].concurrency
    seconds = 1.5 * bench.effort.open_s
    for lane in lanes:
        light = replace(
            lane.served.load(connections=20, seconds=seconds),
            requests=(neighbour,),
            arrivals=Arrivals.OPEN,
            rate_rps=NEIGHBOUR_RPS,
        )
        bench.say(
            f"neighbour {neighbour.url} beside {lane.served.label}",
            f"{pair.id}, {concurrency} in flight",
        )
        alone = timed_round(bench.engine, lane.served.pid, light, cores=bench.server_cores)
        lane.neighbour_alone = alone.round.latency
        heavy = lane.served.load(connections=concurrency, seconds=seconds)
        taken = timed_round(
            bench.engine, lane.served.pid, heavy, cores=bench.server_cores, beside=(light,)
        )
        lane.neighbour.extend(taken.beside)
        drain(lane.served.pid, cores=bench.cores)


def _observe(bench: Bench, pair: Pair, cells: list[tuple[Lane, Lane]]) -> None:
    most = max(pair.concurrency)
    for index, side in enumerate((pair.a, pair.b)):
        bench.say(f"observed round, {cells[0][index].served.label}", pair.id)
        with bench.serve(side, threads=most, observed=True) as served:
            bench.engine.run(served.load(connections=min(4, most), seconds=0.3))
            for cell in cells:
                lane = cell[index]
                drain(served.pid, cores=bench.cores)
                served.reset_agent()
                seconds = max(bench.effort.observed_s, 2.2 * lane.unloaded_ms / 1000)
                load = served.load(connections=lane.concurrency, seconds=seconds)
                bench.engine.run(load)
                lane.observed = served.agent_report()
