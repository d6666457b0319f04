"""A race: one burst of simultaneous requests against several deployments, one after another."""

from __future__ import annotations

from dataclasses import replace

from freeloop.api.serving import Bench
from freeloop.measure.load import Load
from freeloop.measure.rounds import drain
from freeloop.measure.watch import Watch
from freeloop.model.plan import Race
from freeloop.model.run import Arrivals, RaceLane, RaceResult


def run_race(bench: Bench, race: Race) -> RaceResult:
    """Run the burst once against every side; each server runs alone."""
    lanes = []
    for side in race.sides:
        with bench.serve(side, threads=race.burst) as served:
            bench.say(f"warming up {served.label}", race.id)
            bench.check_first_answer(served)
            drain(served.pid, cores=bench.cores)
            bench.say(f"{race.burst} requests at once, {served.label}", race.id)
            load: Load = replace(
                served.load(connections=race.burst, seconds=0.0),
                arrivals=Arrivals.BURST,
                timeout_s=120.0,
            )
            with Watch(served.pid) as watch:
                (result,) = bench.engine.run(load)
            finished = sorted(result.finished_ms)
            lanes.append(
                RaceLane(
                    arm=served.arm,
                    path=served.request.url or "",
                    answered=result.completed,
                    first_ms=float(finished[0]) if finished else None,
                    last_ms=float(finished[-1]) if finished else None,
                    threads=watch.peaks.threads,
                    thread_limit=served.thread_limit,
                )
            )
    return RaceResult(race=race.id, burst=race.burst, lanes=tuple(lanes))
