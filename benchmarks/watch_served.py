"""Claim: a server that is watched costs what it costs without the watch.

`python benchmarks/watch_served.py [--pairs N]`. A new project (`relief_site`: seven default
middleware, SQLite) on uvicorn, closed model, 10 connections, one process. For each pair of rounds
both servers are started anew, and who goes first is swapped: two identical servers differ by
several per cent until they are restarted. CPU time of the server's process per request, watched
against `FREELOOP_WATCH=0`, with the 95 % interval of the mean ratio. Ends with 1 when an interval
does not include 1.00. `benchmarks/watch.py` runs this too, and keeps the rounds. Not controlled:
the machine's other load; what the interval is too wide to show, it does not show.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
from pathlib import Path
from typing import Any

from relief import SITE, in_turn, site_environment

from freeloop.api.machine import held_to, split_cores
from freeloop.judge.stats import ratio_interval
from freeloop.measure.client import RawEngine
from freeloop.measure.launch import Launch
from freeloop.measure.load import Load
from freeloop.measure.process import ServerProcess
from freeloop.measure.rounds import drain, timed_round, warm_up
from freeloop.measure.servers import server_named
from freeloop.model.request import RequestSpec

PATHS = {"hello": "/", "orm": "/query/"}
CONNECTIONS, SECONDS, LEVEL = 10, 1.0, 0.95
ARMS = {"watched": "1", "plain": "0"}
PAIRS = 12
WATCHED = {
    "FREELOOP": {"WATCH": {"ENABLED": True}},
    "INSTALLED_APPS": [
        *("django.contrib.auth", "django.contrib.contenttypes"),
        *("django.contrib.sessions", "django.contrib.messages", "freeloop"),
    ],
}


def main() -> int:
    """Measure and print; return 1 if the claim fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=PAIRS, help="of rounds, at least 10")
    found = served(parser.parse_args().pairs)
    print(rows(found))
    return int(not included(found))


def served(pairs: int) -> dict[str, dict[str, Any]]:
    """Return the ratio of each path with its interval, and the rounds it comes from."""
    _, client_cores = split_cores()
    rounds: dict[str, dict[str, list[float]]] = {name: {arm: [] for arm in ARMS} for name in PATHS}
    threads: dict[str, int] = {}
    with (
        site_environment() as environment,
        held_to(client_cores),
        RawEngine(cores=client_cores) as engine,
    ):
        for turn in range(pairs):
            for arm in in_turn(list(ARMS), turn):
                cpu_ms, threads[arm] = one_life(engine, environment, arm)
                for name, each in cpu_ms.items():
                    rounds[name][arm].append(each)
    found: dict[str, dict[str, Any]] = {}
    for name, taken in rounds.items():
        both = zip(taken["watched"], taken["plain"], strict=True)
        seen = ratio_interval([math.log(ours / plain) for ours, plain in both], level=LEVEL)
        found[name] = {"ratio": seen.ratio, "low": seen.low, "high": seen.high, "rounds": taken}
    # One more thread is the watchdog: what was measured was watched.
    assert threads["watched"] > threads["plain"], threads
    return found


def one_life(
    engine: RawEngine, environment: dict[str, str], arm: str
) -> tuple[dict[str, float], int]:
    """Start a server; return its CPU time per request of each path, and its threads at rest."""
    launch = Launch(
        server=server_named("uvicorn"),
        root=SITE,
        settings="site_settings",
        overrides=WATCHED,
        environment=environment | {"FREELOOP_WATCH": ARMS[arm]},
    )
    cpu_ms = {}
    with ServerProcess(launch) as process:
        process.wait_ready("/", timeout_s=60)
        for name, path in PATHS.items():
            load = Load(
                port=process.port,
                requests=(RequestSpec(name=path, url=path),),
                connections=CONNECTIONS,
                seconds=SECONDS,
            )
            warm_up(engine, process.pid, lambda _, load=load: load, window_s=SECONDS / 2)
            taken = timed_round(engine, process.pid, load, cores=())
            assert not taken.failures, (taken.failures, taken.sample_failure)
            cpu_ms[name] = taken.round.cpu_ms
            drain(process.pid, cores=os.cpu_count() or 1)
        threads = len(list(Path("/proc", str(process.pid), "task").iterdir()))
    return cpu_ms, threads


def included(found: dict[str, dict[str, Any]]) -> bool:
    """Return whether every interval includes 1.00."""
    return all(each["low"] <= 1.0 <= each["high"] for each in found.values())


def rows(found: dict[str, dict[str, Any]]) -> str:
    """Return the figures as text."""
    lines = []
    for name, each in found.items():
        plain_ms = statistics.median(each["rounds"]["plain"])
        word = "holds" if each["low"] <= 1.0 <= each["high"] else "REFUTED"
        lines.append(
            f"served {name:6} {plain_ms:.3f} ms CPU per request, watched {each['ratio']:.3f} x"
            f" ({each['low']:.3f} to {each['high']:.3f}, {len(each['rounds']['plain'])} pairs of"
            f" restarted servers): 1.00 {word}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
