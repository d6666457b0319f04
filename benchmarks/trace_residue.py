"""Claim: requests that are not recorded cost the same CPU after a recording as without one.

freeloop is not in a process that records nothing. In one that does, everything is put back, so what
could stay are attributes, events of `sys.monitoring`, and code that lost its specialisation. In
turns, three processes answer the request of `trace_cost.py`: two in which nothing was ever
recorded, and one in which three requests were, with line steps. Several such sets of processes,
since two equal processes differ too. Ends with 1 when the ratio's interval lies above 1. The two
equal processes are the control: their interval tells how small a difference would be seen.

    .venv/bin/python benchmarks/trace_residue.py [--sets N] [--rounds N] [--output FILE]

CPU is that of the whole process, all threads. Not controlled: other load, which CPU time feels
through caches; the turns spread it over all three. Takes about four minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from scipy import stats
from trace_cost import ASKED, plainly, prepare

from freeloop.record.session import Options, record_asgi

RESULTS = Path(__file__).with_name("results") / "trace_residue.json"
WAYS = ("never", "never again", "recorded")
WARM_UPS, RECORDINGS, REQUESTS = 20, 3, 5
LEVEL = 0.95


def serve(way: str) -> None:
    """Answer a round of requests for each line of standard input, and print its CPU."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        application = prepare(folder)
        for _ in range(WARM_UPS):
            asyncio.run(plainly(application))
        for _ in range(RECORDINGS if way == "recorded" else 0):
            recording = record_asgi(application, ASKED, Options(root=str(folder)))
            assert recording.trace.steps
        for _ in range(WARM_UPS):
            asyncio.run(plainly(application))
        for _ in sys.stdin:
            gc.collect()
            spent = 0.0
            for _ in range(REQUESTS):
                asyncio.run(plainly(application))
                spent += application.cpu_ms
            print(spent / REQUESTS, flush=True)


def one_set(rounds: int) -> dict[str, list[float]]:
    """Return the CPU per request of each round, by way; the first round is dropped."""
    servers = {
        way: subprocess.Popen(
            [sys.executable, __file__, "--serve", way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for way in WAYS
    }
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    try:
        for number in range(rounds + 1):
            # Each goes first as often as the others.
            first = number % len(WAYS)
            for way in (*WAYS[first:], *WAYS[:first]):
                found[way].append(asked(servers[way]))
    finally:
        for server in servers.values():
            server.communicate()
    return {way: taken[1:] for way, taken in found.items()}


def asked(server: subprocess.Popen[str]) -> float:
    """Let a server answer one round, and return its CPU per request."""
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write("go\n")
    server.stdin.flush()
    return float(server.stdout.readline())


def interval(sets: Sequence[dict[str, list[float]]], way: str) -> tuple[float, float, float]:
    """Return the mean ratio of a way to "never", one number for each set, and its interval."""
    ratios = [
        statistics.median(a / b for a, b in zip(each[way], each["never"], strict=True))
        for each in sets
    ]
    middle = statistics.mean(ratios)
    half = stats.t.ppf((1 + LEVEL) / 2, len(ratios) - 1) * stats.sem(ratios)
    return middle, middle - half, middle + half


def main() -> int:
    """Measure, print, keep, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--serve", choices=WAYS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve)
        return 0
    sets = [one_set(chosen.rounds) for _ in range(chosen.sets)]
    cpu_ms = statistics.median(value for each in sets for value in each["never"])
    print(f"{chosen.sets} sets of processes, {chosen.rounds} rounds of {REQUESTS} requests each")
    print(f"never recorded: {cpu_ms:.2f} ms of CPU per request")
    told = {}
    for way in WAYS[1:]:
        middle, low, high = told[way] = interval(sets, way)
        print(f"{way:12} / never: x{middle:.3f}  ({LEVEL:.0%} interval {low:.3f} to {high:.3f})")
    holds = told["recorded"][1] <= 1
    print(f"after a recording: the claim {'holds' if holds else 'FAILS'}")
    known = {name: metadata.version(name) for name in ("django", "asgiref")}
    kept = {
        "versions": {"python": platform.python_version(), **known},
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "ratios": told,
        "cpu_ms": sets,
    }
    chosen.output.write_text(json.dumps(kept, indent=1) + "\n")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
