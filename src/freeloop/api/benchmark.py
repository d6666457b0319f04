"""Run a plan: serve and load every pair and race, gather the results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from freeloop.api.effort import Clock, Effort
from freeloop.api.machine import environment_of, held_to, split_cores
from freeloop.api.options import BenchOptions
from freeloop.api.pair import measure_pair
from freeloop.api.preparation import Prepared, prepare
from freeloop.api.race import run_race
from freeloop.api.serving import Bench
from freeloop.errors import FreeloopError, Interrupted
from freeloop.judge.stats import LOOKS, Looks
from freeloop.measure.client import RawEngine
from freeloop.model.plan import Plan
from freeloop.model.progress import Progress, Step
from freeloop.model.run import Environment, PairResult, RaceResult, Run
from freeloop.source.login import sessions_for


@dataclass(slots=True)
class _Gathered:
    """What a run has so far; it survives interrupts and refused parts.

    Attributes:
        alone: Whether the plan has one part only: its failure is the failure of the run.
    """

    alone: bool
    notes: list[str]
    pairs: list[PairResult] = field(default_factory=list)
    races: list[RaceResult] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @contextmanager
    def going_on(self, name: str) -> Iterator[None]:
        """Let one part of a plan fail without taking the others with it."""
        try:
            yield
        except FreeloopError as error:
            if self.alone:
                raise
            self.refused.append(f"{name}: {error.what} ({error.where}); {error.mend}")

    def as_run(self, environment: Environment, *, complete: bool) -> Run:
        """Seal it."""
        return Run(
            environment=environment,
            pairs=tuple(self.pairs),
            races=tuple(self.races),
            notes=tuple(self.notes),
            complete=complete,
            refused=tuple(self.refused),
        )


def run_plan(
    plan: Plan,
    *,
    start: Path,
    settings: str | None,
    python: str | None,
    options: BenchOptions,
    progress: Progress,
    announce: Callable[[str], None],
    on_result: Callable[[PairResult], None],
) -> Run:
    """Carry out `freeloop.api.bench`."""
    progress(Step("questioning the project", "", 0.0, 0.0))
    prepared = prepare(
        plan, start=start, settings=settings, python=python, allow_writes=options.allow_writes
    )
    for database in prepared.facts.databases:
        announce(f"database {database.sentence}")
    cores = split_cores()
    environment = environment_of(prepared.facts, *cores, options.command)
    gathered = _Gathered(len(plan.pairs) + len(plan.races) == 1, [*prepared.notes])

    def deliver(result: PairResult) -> None:
        gathered.pairs.append(result)
        on_result(result)

    try:
        with open_bench(plan, prepared, cores, options, progress, gathered.notes) as bench:
            for race in plan.races:
                length_s = bench.clock.race_s(len(race.sides))
                with bench.clock.part(length_s), gathered.going_on(race.id):
                    gathered.races.append(run_race(bench, race))
            for pair in plan.pairs:
                beside = pair.neighbour is not None
                length_s = bench.clock.pair_s(len(pair.concurrency), neighbour=beside)
                with bench.clock.part(length_s), gathered.going_on(pair.id):
                    measure_pair(bench, pair, deliver)
    except (Interrupted, KeyboardInterrupt):
        if not gathered.pairs and not gathered.races:
            raise
        return gathered.as_run(environment, complete=False)
    return gathered.as_run(environment, complete=True)


@contextmanager
def open_bench(
    plan: Plan,
    prepared: Prepared,
    cores: tuple[tuple[int, ...], tuple[int, ...]],
    options: BenchOptions,
    progress: Progress,
    notes: list[str],
) -> Iterator[Bench]:
    """Give what all parts share; sessions and the load client are gone when the block ends."""
    server_cores, client_cores = cores
    effort = Effort()
    with ExitStack() as stack:
        stack.enter_context(held_to(client_cores))
        sessions = stack.enter_context(sessions_for(prepared.project, prepared.users))
        yield Bench(
            project=prepared.project,
            facts=prepared.facts,
            targets=prepared.dressed(sessions),
            engine=stack.enter_context(RawEngine(cores=client_cores)),
            effort=effort,
            clock=Clock(plan, effort),
            progress=progress,
            server_cores=server_cores,
            cores=len(server_cores) or os.cpu_count() or 1,
            notes=notes,
            looks=_looks(options),
        )


def _looks(options: BenchOptions) -> Looks:
    most = options.max_rounds or LOOKS.last
    return Looks(at=(most,), level=LOOKS.level) if options.all_rounds else LOOKS.until(most)
