"""Claim: what folklore says of async Django fails on the sample project, and bench shows it.

Runs every pair of the sample project at 10 and 50 requests in flight (all.toml, then postgres.toml
on PostgreSQL and writes.toml with a tasks worker), keeps the runs under benchmarks/results/, and
checks the relations below against them. Ends with 1 when one does not hold.

    .venv/bin/python benchmarks/relations.py            # measure (most of an hour), then check
    .venv/bin/python benchmarks/relations.py --check    # check the runs that are there
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from freeloop.model.codec import read_run
from freeloop.model.run import PairResult, RaceLane, Run, Series, SideResult
from freeloop.model.verdict import Answer, Cause

ROOT = Path(__file__).resolve().parents[1]
CAFE = ROOT / "examples" / "cafe"
RESULTS = ROOT / "benchmarks" / "results"
# Plan, options of the backing, options of bench.
PARTS: dict[str, tuple[list[str], list[str]]] = {
    "all": ([], ["--max-rounds", "10"]),
    "postgres": (["--postgres", "--pool", "20"], ["--max-rounds", "7"]),
    "writes": (["--worker"], ["--allow-writes", "--max-rounds", "7"]),
}
Checked = tuple[bool, str]


class Seen:
    """The runs, looked up by the names of the plans."""

    def __init__(self, runs: list[Run]) -> None:
        self.pairs = {(each.pair, each.concurrency): each for run in runs for each in run.pairs}
        self.races = {race.race: race for run in runs for race in run.races}

    def pair(self, name: str, concurrency: int) -> PairResult:
        """Return one cell; a missing one is an incomplete run."""
        return self.pairs[name, concurrency]

    def lanes(self, name: str) -> tuple[RaceLane, ...]:
        """Return the lanes of a race in the plan's order."""
        return self.races[name].lanes


def b2(seen: Seen) -> Iterator[Checked]:
    """A request waits as long either way; a view that never waits is slower under ASGI."""
    wait = seen.pair("wait", 10)
    ratio = wait.b.unloaded_ms / wait.a.unloaded_ms
    yield 0.9 < ratio < 1.35, f"one awaited wait lasts {ratio:.2f} times the blocking one"
    for name in ("hello", "async hello served by ASGI", "hello served by ASGI"):
        cell = seen.pair(name, 50)
        cpu = median_cpu_ms(cell.b) / median_cpu_ms(cell.a)
        yield (
            cell.verdict.answer is Answer.HURTS and cpu > 1.5,
            f"{name}: {cell.verdict.answer}, {cpu:.1f} times the CPU under ASGI",
        )


def b4(seen: Seen) -> Iterator[Checked]:
    """Whether sync views queue is the server's doing: its threads, not the word `async`."""
    one, four, many, sync_asgi, _ = (last_ms(lane) for lane in seen.lanes("twenty waits of 0.2 s"))
    yield one > 3.3 * four, f"one sync worker {one:.0f} ms, four threads {four:.0f} ms"
    yield four > 2.5 * many, f"four threads {four:.0f} ms, 32 threads {many:.0f} ms"
    yield (
        four > 2 * sync_asgi,
        f"the same sync view on uvicorn {sync_asgi:.0f} ms, four threads {four:.0f} ms",
    )


def b5(seen: Seen) -> Iterator[Checked]:
    """On a WSGI worker an async view gains nothing across requests, and gathers inside one."""
    sync, on_wsgi, on_asgi = (last_ms(lane) for lane in seen.lanes("twenty async waits on WSGI"))
    yield 0.9 < on_wsgi / sync < 1.3, f"async on WSGI {on_wsgi:.0f} ms, sync {sync:.0f} ms"
    yield on_wsgi > 4 * on_asgi, f"the same async view on uvicorn {on_asgi:.0f} ms"
    calls, gathered, _ = (last_ms(lane) for lane in seen.lanes("one request, four calls of 0.2 s"))
    yield calls > 2 * gathered, f"four calls {calls:.0f} ms, gathered on WSGI {gathered:.0f} ms"
    cell = seen.pair("async view on WSGI", 10)
    yield cell.verdict.answer is not Answer.HELPS, f"async view on WSGI: {cell.verdict.answer}"


def b7(seen: Seen) -> Iterator[Checked]:
    """Gathered ORM calls of one request run one after another."""
    cell = seen.pair("gathered slow queries", 1)
    ratio = cell.b.unloaded_ms / cell.a.unloaded_ms
    yield 0.8 < ratio < 1.25, f"three queries gathered take {ratio:.2f} times as long as awaited"
    yield cell.verdict.answer is not Answer.HELPS, f"gathering them: {cell.verdict.answer}"


def b10(seen: Seen) -> Iterator[Checked]:
    """CPU work beside a light neighbour: inline is worst, a thread better, a process pool best."""
    inline = neighbour_p50_ms(seen.pair("cpu in a process pool", 10).a.neighbour)
    thread = neighbour_p50_ms(seen.pair("cpu in a thread", 10).b.neighbour)
    pool = neighbour_p50_ms(seen.pair("cpu in a process pool", 10).b.neighbour)
    yield inline > 1.3 * thread, f"neighbour's p50: inline {inline:.0f} ms, thread {thread:.0f} ms"
    yield thread > 1.3 * pool, f"neighbour's p50: thread {thread:.0f} ms, pool {pool:.0f} ms"
    cell = seen.pair("cpu", 10)
    yield cell.verdict.answer is not Answer.HELPS, f"async def around CPU: {cell.verdict.answer}"


def blocked(seen: Seen) -> Iterator[Checked]:
    """A blocking call in an async view allows one request per its duration, whatever comes."""
    for concurrency in (10, 50):
        cell = seen.pair("hidden blocking call", concurrency)
        rate = statistics.median(each.throughput_rps for each in cell.a.closed.rounds)
        alone = 1000 / cell.a.unloaded_ms
        yield (
            0.7 < rate / alone < 1.15,
            f"at {concurrency}: {rate:.1f} requests/s, one after another gives {alone:.1f}",
        )
        yield cell.verdict.answer is Answer.HELPS, f"mended: {cell.verdict.answer}"
        yield (
            cell.verdict.cause is Cause.BLOCKED_LOOP,
            f"cause {cell.verdict.cause}, at {cell.a.observed and cell.a.observed.blocked_at}",
        )


def buffered(seen: Seen) -> Iterator[Checked]:
    """A sync generator under ASGI is collected first: its events come all at once."""
    cell = seen.pair("buffered stream", 10)
    sync_ms, async_ms = gap_p50_ms(cell.a), gap_p50_ms(cell.b)
    yield async_ms > 10, f"async generator: {async_ms:.1f} ms between events"
    yield sync_ms < 0.2 * async_ms, f"sync generator: {sync_ms:.1f} ms between events"


CHECKS: dict[str, Callable[[Seen], Iterator[Checked]]] = {
    "B2": b2,
    "B4": b4,
    "B5": b5,
    "B7": b7,
    "B10": b10,
    "blocked loop": blocked,
    "buffered stream": buffered,
}


def median_cpu_ms(side: SideResult) -> float:
    """Return the median CPU per request of the closed rounds."""
    return statistics.median(each.cpu_ms for each in side.closed.rounds)


def last_ms(lane: RaceLane) -> float:
    """Return when the last answer was complete; endless when one is missing."""
    return lane.last_ms if lane.last_ms is not None else float("inf")


def neighbour_p50_ms(series: Series | None) -> float:
    """Return the neighbour's median latency under load."""
    if series is None:
        raise KeyError("the pair has no neighbour")
    return statistics.median(each.latency.p50 for each in series.rounds)


def gap_p50_ms(side: SideResult) -> float:
    """Return the median time between the events of a stream."""
    return statistics.median(each.gap.p50 for each in side.closed.rounds if each.gap)


def measure(part: str) -> int:
    """Run one plan on its backing and return bench's exit code."""
    backing, options = PARTS[part]
    command = [sys.executable, "backing.py", *backing, "--", sys.executable, "-m", "freeloop"]
    file = os.path.relpath(RESULTS / f"{part}.json", CAFE)
    command += ["bench", "--plan", f"{part}.toml", "--json", file]
    return subprocess.run([*command, *options, "--quiet"], cwd=CAFE, check=False).returncode


def check(runs: list[Run]) -> int:
    """Print every relation with its numbers and return how many do not hold."""
    seen, wrong = Seen(runs), 0
    for name, relation in CHECKS.items():
        print(f"{name}: {(relation.__doc__ or '').splitlines()[0]}")
        try:
            for holds, text in relation(seen):
                wrong += not holds
                print(f"  {'holds' if holds else 'FAILS'}  {text}")
        except KeyError as missing:
            wrong += 1
            print(f"  FAILS  not measured: {missing}")
    return wrong


def main() -> int:
    """Measure unless told otherwise, check, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only check the runs that are there")
    parser.add_argument("--only", choices=PARTS, help="measure one plan")
    asked = parser.parse_args()
    if not asked.check:
        RESULTS.mkdir(exist_ok=True)
        for part in [asked.only] if asked.only else PARTS:
            if (code := measure(part)) != 0:
                print(f"{part}.toml ended with {code}")
                return code
    files = [RESULTS / f"{part}.json" for part in PARTS if (RESULTS / f"{part}.json").exists()]
    wrong = check([read_run(file) for file in files])
    print("all relations hold" if not wrong else f"{wrong} relations do not hold")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
