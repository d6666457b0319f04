"""Claim: what `freeloop check --fix` mends in the sample project, `freeloop bench` shows as a gain.

Two copies of the sample project; in one of them `freeloop check --fix` writes its safe edits. Each
is benched with `mended.toml`: a sync view on threads, which no edit touches, against its async twin
on one event loop. The runs take turns (as it was, mended, mended, as it was). The claim holds for a
view when check finds its fault before and not after, and every interval of the mended copy's ratio
lies above every interval of the other's. A ratio is told with its basis: bench estimates what a
busy core would have given.

Arrival model: closed, 50 requests in flight, each waiting 50 ms. Not controlled: what else the
machine does; the threads, measured in every run, are what a ratio is relative to.

    .venv/bin/python benchmarks/check_gain.py           # seven minutes
    .venv/bin/python benchmarks/check_gain.py --check   # judge what was measured
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import django

from freeloop.model.codec import read_run

CAFE = Path(__file__).resolve().parents[1] / "examples" / "cafe"
RESULTS = Path(__file__).with_name("results") / "check_gain.json"
PLAN = "mended.toml"
# Pair of the plan -> function with the fault.
MENDED = {"cake": "kitchen.views.bake.cake_async", "bread": "kitchen.oven.baked"}
BEFORE, AFTER = "as it was", "mended"
TURNS = (BEFORE, AFTER, AFTER, BEFORE)
ROUNDS = 5

# Ratio, its ends, its basis, and requests per second of the async view.
type Told = tuple[float, float, float, str, float]


def freeloop(*words: str, at: Path) -> str:
    """Run freeloop in a copy and return what it printed; findings, its code 1, are no failure."""
    command = [sys.executable, "-m", "freeloop", *words]
    ended = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)
    if ended.returncode not in (0, 1):
        sys.exit(f"freeloop {' '.join(words)} ended with {ended.returncode}: {ended.stderr[-800:]}")
    return ended.stdout


def found(at: Path) -> set[str]:
    """Return the functions that check finds to block the loop in a copy."""
    answer = json.loads(freeloop("check", "--select", "blocking-call", "--format", "json", at=at))
    return {finding["chain"][-1]["function"] for finding in answer["results"]}


def bench(at: Path, to: Path) -> None:
    """Bench the plan in a copy."""
    plan = ["--plan", PLAN, "--max-rounds", str(ROUNDS), "--quiet", "--json", str(to)]
    command = [sys.executable, "backing.py", "--", sys.executable, "-m", "freeloop", "bench"]
    subprocess.run([*command, *plan], cwd=at, check=True)


def told(file: Path) -> Iterator[tuple[str, Told]]:
    """Yield what a run told of each pair."""
    for pair in read_run(file).pairs:
        effect = pair.verdict.effect
        if effect is not None:
            rps = statistics.median(each.throughput_rps for each in pair.b.closed.rounds)
            ends = (effect.ratio, effect.low, effect.high)
            yield pair.pair, (*ends, pair.verdict.basis.value, rps)


def measure(scratch: Path) -> dict[str, object]:
    """Copy, mend, bench in turns, and return all that was seen."""
    copies = {name: scratch / name.replace(" ", "-") for name in (BEFORE, AFTER)}
    for copy in copies.values():
        shutil.copytree(CAFE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    freeloop("check", "--select", "blocking-call", "--fix", at=copies[AFTER])
    blocking = {name: sorted(found(copy)) for name, copy in copies.items()}
    for number, name in enumerate(TURNS):
        bench(copies[name], scratch / f"{number}.json")
    return result(scratch, blocking)


def result(scratch: Path, blocking: dict[str, list[str]]) -> dict[str, object]:
    """Return what is kept of the runs in a folder."""
    ratios: dict[str, dict[str, list[Told]]] = {pair: {BEFORE: [], AFTER: []} for pair in MENDED}
    for number, name in enumerate(TURNS):
        for pair, each in told(scratch / f"{number}.json"):
            ratios[pair][name].append(each)
    return {
        "python": platform.python_version(),
        "django": django.get_version(),
        "rounds": ROUNDS,
        "found": blocking,
        "ratios": ratios,
    }


def checked(seen: dict[str, object]) -> Iterator[tuple[bool, str]]:
    """Yield whether the claim holds for each view, in words."""
    everything = json.loads(json.dumps(seen))
    for pair, function in MENDED.items():
        is_found, stays = (function in everything["found"][name] for name in (BEFORE, AFTER))
        yield is_found and not stays, f"{pair}: check finds {function} before the edit, not after"
        before, after = (everything["ratios"][pair][name] for name in (BEFORE, AFTER))
        highest, lowest = max(each[2] for each in before), min(each[1] for each in after)
        complete = len(before) == len(after) == TURNS.count(BEFORE)
        said = f"{pair}: {words(before)} as it was, {words(after)} mended"
        yield complete and lowest > highest, said


def words(runs: Sequence[Told]) -> str:
    """Return what runs told of one copy."""
    return " and ".join(
        f"{ratio:.2f}x the throughput of 50 threads ({basis}, {low:.2f} to {high:.2f}x;"
        f" {rps:.0f} requests/s, measured)"
        for ratio, low, high, basis, rps in runs
    )


def main() -> int:
    """Measure unless told not to, print, and return 1 when the claim fails."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="judge what was measured")
    if not options.parse_args().check:
        with tempfile.TemporaryDirectory() as scratch:
            RESULTS.write_text(json.dumps(measure(Path(scratch)), indent=2) + "\n")
    outcomes = list(checked(json.loads(RESULTS.read_text())))
    for holds, said in outcomes:
        print(f"{'holds' if holds else 'FAILS'}  {said}")
    return 0 if all(holds for holds, _ in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
