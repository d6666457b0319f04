"""Claim: what `freeloop check --fix` mends in the sample project, `freeloop bench` shows as a gain.

Two copies of the sample project; in one of them `freeloop check --fix` writes its safe edits. Each
is benched with `mended.toml`: a sync view on threads, which no edit touches, against its async twin
on one event loop. The runs take turns (as it was, mended, mended, as it was). The claim holds for a
view when check finds its fault before and not after, and every interval of the mended copy's ratio
lies above every interval of the other's.

Arrival model: closed, 50 requests in flight, each waiting 10 ms. Not controlled: what else the
machine does; the threads, measured in every run, are what a ratio is relative to.

    .venv/bin/python benchmarks/check_gain.py           # five minutes
    .venv/bin/python benchmarks/check_gain.py --check   # judge what was measured
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import django

from freeloop.model.codec import read_run
from freeloop.model.verdict import Interval

CAFE = Path(__file__).resolve().parents[1] / "examples" / "cafe"
RESULTS = Path(__file__).with_name("results") / "check_gain.json"
PLAN = "mended.toml"
# Pair of the plan -> function with the fault.
MENDED = {"cake": "kitchen.views.bake.cake_async", "bread": "kitchen.oven.baked"}
BEFORE, AFTER = "as it was", "mended"
TURNS = (BEFORE, AFTER, AFTER, BEFORE)
ROUNDS = 5

type Copies = Mapping[str, Path]
type Told = dict[str, dict[str, list[Interval]]]


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


def benched(at: Path, to: Path) -> dict[str, Interval]:
    """Return the ratio of each pair, async view to sync view, with its interval."""
    plan = ["--plan", PLAN, "--max-rounds", str(ROUNDS), "--quiet", "--json", str(to)]
    bench = [sys.executable, "-m", "freeloop", "bench", *plan]
    subprocess.run([sys.executable, "backing.py", "--", *bench], cwd=at, check=True)
    effects = {pair.pair: pair.verdict.effect for pair in read_run(to).pairs}
    return {pair: effect for pair, effect in effects.items() if effect is not None}


def measure(scratch: Path) -> dict[str, object]:
    """Copy, mend, bench in turns, and return all that was seen."""
    copies = {name: scratch / name.replace(" ", "-") for name in (BEFORE, AFTER)}
    for copy in copies.values():
        shutil.copytree(CAFE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    freeloop("check", "--select", "blocking-call", "--fix", at=copies[AFTER])
    blocking = {name: sorted(found(copy)) for name, copy in copies.items()}
    told: Told = {pair: {BEFORE: [], AFTER: []} for pair in MENDED}
    for number, name in enumerate(TURNS):
        for pair, effect in benched(copies[name], scratch / f"{number}.json").items():
            told[pair][name].append(effect)
    return {
        "python": platform.python_version(),
        "django": django.get_version(),
        "rounds": ROUNDS,
        "found": blocking,
        "ratios": {
            pair: {
                name: [[each.ratio, each.low, each.high] for each in effects]
                for name, effects in sides.items()
            }
            for pair, sides in told.items()
        },
    }


def checked(seen: dict[str, object]) -> Iterator[tuple[bool, str]]:
    """Yield whether the claim holds for each view, in words."""
    everything = json.loads(json.dumps(seen))
    for pair, function in MENDED.items():
        is_found, stays = (function in everything["found"][name] for name in (BEFORE, AFTER))
        yield is_found and not stays, f"{pair}: check finds {function} before the edit, not after"
        before, after = (everything["ratios"][pair][name] for name in (BEFORE, AFTER))
        highest, lowest = max(high for *_, high in before), min(low for _, low, _ in after)
        words = ", ".join(f"{ratio:.2f}x" for ratio, *_ in before)
        mended = ", ".join(f"{ratio:.2f}x" for ratio, *_ in after)
        complete = len(before) == len(after) == TURNS.count(BEFORE)
        said = (
            f"{pair}: {words} the throughput of 50 threads as it was (at most {highest:.2f}x),"
            f" {mended} mended (at least {lowest:.2f}x); measured"
        )
        yield complete and lowest > highest, said


def main() -> int:
    """Measure unless told not to, print, and return 1 when the claim fails."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="judge what was measured")
    if not options.parse_args().check:
        with tempfile.TemporaryDirectory() as scratch:
            RESULTS.write_text(json.dumps(measure(Path(scratch)), indent=2) + "\n")
    outcomes = list(checked(json.loads(RESULTS.read_text())))
    for holds, words in outcomes:
        print(f"{'holds' if holds else 'FAILS'}  {words}")
    return 0 if all(holds for holds, _ in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
