"""Claim: the watch adds at most 50 ns per callback, 1 % of a view's CPU, 0.15 % of a core idle.

`python benchmarks/watch.py [--rounds N]`. In one process and on one loop, in turns with and without
the watch: a turn of a thousand callbacks, and a thousand turns of one callback; CPU time of the
whole process, the watchdog's thread included, so that nothing can hide there. asyncio's debug mode
takes its turns in the same rounds; aiocop (`pip install aiocop`) in a process of its own, without
and then with it, because an audit hook cannot be taken out again. What a request costs is computed:
callbacks and turns counted per request of three views of a small Django project, times the medians,
plus the wrapper's own time, over the CPU time of that request. Idle: beside a loop (asyncio's, then
uvloop's) that wakes ten times a second, as uvicorn's does, the CPU time of the watchdog's thread,
and what the whole process takes more than without, in turns; the greater one counts.
The rounds are kept in `results/watch.json`. Not controlled: the machine's other load; the computed
share leaves out what the watchdog takes while samples are due; a server run with and without the
watch (`watch_served.py`) does not. Ends with 1 when the claim fails.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import watch_served

RESULTS = Path(__file__).with_name("results") / "watch.json"
MOST_NS_PER_CALLBACK, MOST_SHARE, MOST_IDLE = 50.0, 0.01, 0.0015
CALLBACKS, TURNS = 100_000, 30_000
A_TURN = 1000
IDLE_BEFORE_S, IDLE_TICKS, IDLE_ROUNDS = 6.0, 50, 5

SETTINGS = """
SECRET_KEY = "for the benchmark"
ROOT_URLCONF = "cost_urls"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "cost.sqlite3"}}
"""
URLS = """
import asyncio
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.urls import path

async def trivial(request):
    return HttpResponse("ok")

async def ten_awaits(request):
    for _ in range(10):
        await asyncio.sleep(0)
    return HttpResponse("ok")

async def orm(request):
    return HttpResponse(str([await Group.objects.acount() for _ in range(3)]))

urlpatterns = [path(f"{view.__name__}/", view) for view in (trivial, ten_awaits, orm)]
"""
VIEWS = ("trivial", "ten_awaits", "orm")


def main() -> int:
    """Measure, print, keep; return 1 if the claim fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--pairs", type=int, default=watch_served.PAIRS, help="of server rounds")
    parser.add_argument("--aiocop", action="store_true", help="only aiocop; prints JSON")
    given = parser.parse_args()
    if given.aiocop:
        print(json.dumps(beside_aiocop(given.rounds)))
        return 0
    costs = alternating(given.rounds)
    results: dict[str, Any] = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "rounds": costs,
        "added_ns": added(costs),
        "idle_share": idle_share(),
        "busy_share": busy_share(),
        "requests": requests(added(costs)["watch"]),
        "served": watch_served.served(given.pairs),
    }
    if importlib.util.find_spec("aiocop"):
        said = subprocess.run(
            [sys.executable, __file__, "--aiocop", "--rounds", str(given.rounds)],
            capture_output=True,
            text=True,
            check=True,
        )
        results["added_ns"]["aiocop"] = added(json.loads(said.stdout))["aiocop"]
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(table(results))
    return int(not holds(results))


def alternating(rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return ns per callback and per turn: plain, watched, in debug mode, in turns."""
    from django.conf import settings

    settings.configure()
    from freeloop.watch.watchdog import watchdog

    found: dict[str, dict[str, list[float]]] = {}

    async def run() -> None:
        loop = asyncio.get_running_loop()
        # Debug mode writes a line about each slow callback; the burst itself is one.
        loop.slow_callback_duration = 60.0
        for number in range(rounds + 1):
            for arm in ("plain", "watch", "debug"):
                if arm == "watch":
                    watchdog.attach(loop)
                loop.set_debug(arm == "debug")
                measured = {"callback": await a_callback(), "turn": await a_turn()}
                loop.set_debug(False)
                if arm == "watch":
                    await asyncio.to_thread(watchdog.stop)
                if number:  # the first round warms up
                    keep(found, arm, measured)

    asyncio.run(run())
    return found


def beside_aiocop(rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return the same for aiocop: all rounds without it, then all with it."""
    found: dict[str, dict[str, list[float]]] = {}

    async def run(arm: str) -> None:
        for number in range(rounds + 1):
            measured = {"callback": await a_callback(), "turn": await a_turn()}
            if number:
                keep(found, arm, measured)

    asyncio.run(run("plain"))
    import aiocop

    aiocop.patch_audit_functions()
    aiocop.start_blocking_io_detection(trace_depth=20)
    aiocop.detect_slow_tasks(threshold_ms=20, on_slow_task=lambda _: None)

    async def watched() -> None:
        aiocop.activate()  # on the loop that it is to patch
        await run("aiocop")

    asyncio.run(watched())
    return found


def keep(found: dict[str, dict[str, list[float]]], arm: str, measured: dict[str, float]) -> None:
    """Add one round."""
    for what, value in measured.items():
        found.setdefault(arm, {}).setdefault(what, []).append(value)


async def a_callback() -> float:
    """Return the CPU time of one callback in ns, a thousand in each turn of the loop."""
    loop = asyncio.get_running_loop()
    before = time.process_time_ns()
    for _ in range(CALLBACKS // A_TURN):
        for _ in range(A_TURN):
            loop.call_soon(_nothing)
        await asyncio.sleep(0)
    return (time.process_time_ns() - before) / CALLBACKS


async def a_turn() -> float:
    """Return the CPU time of one turn of the loop with one step of one task, in ns."""
    before = time.process_time_ns()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    return (time.process_time_ns() - before) / TURNS


def _nothing() -> None:
    """Cost nothing but the loop's own work."""


def added(costs: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, list[float]]]:
    """Return what each arm adds to the plain loop: low, median and high of the rounds' pairs."""
    found: dict[str, dict[str, list[float]]] = {}
    for arm, measured in costs.items():
        if arm == "plain":
            continue
        for what, values in measured.items():
            pairs = sorted(a - b for a, b in zip(values, costs["plain"][what], strict=True))
            quarter = len(pairs) // 4
            found.setdefault(arm, {})[what] = [
                pairs[quarter],
                statistics.median(pairs),
                pairs[-1 - quarter],
            ]
    return found


def idle_share() -> dict[str, dict[str, list[float]]]:
    """Return, per loop and round, the share of a core that watching it takes: thread, process."""
    import uvloop

    from freeloop.watch import clocks
    from freeloop.watch.watchdog import watchdog

    async def ticks() -> tuple[float, float]:
        """Return the time that passed and the CPU time of the process, ns."""
        began, used = time.perf_counter_ns(), time.process_time_ns()
        for _ in range(IDLE_TICKS):
            await asyncio.sleep(0.1)
        return time.perf_counter_ns() - began, time.process_time_ns() - used

    async def rounds() -> dict[str, list[float]]:
        found: dict[str, list[float]] = {"thread": [], "process": []}
        for _ in range(IDLE_ROUNDS):
            ns, used_ns = await ticks()
            plain = used_ns / ns
            watchdog.attach(asyncio.get_running_loop())
            # By then it no longer expects that something follows on something.
            await asyncio.sleep(IDLE_BEFORE_S)
            thread = watchdog._thread
            assert thread is not None
            clock = clocks.ThreadClock(thread.native_id or 0)
            before = clock.read()
            ns, used_ns = await ticks()
            found["thread"].append((clock.read().cpu_ns - before.cpu_ns) / ns)
            found["process"].append(used_ns / ns - plain)
            clock.close()
            await asyncio.to_thread(watchdog.stop)
        return found

    found = {}
    for name, new_loop in (("asyncio", asyncio.new_event_loop), ("uvloop", uvloop.new_event_loop)):
        with asyncio.Runner(loop_factory=new_loop) as runner:
            found[name] = runner.run(rounds())
    return found


def busy_share() -> float:
    """Return the share of a core that the watchdog's thread takes beside a loop at full load."""
    from freeloop.watch import clocks
    from freeloop.watch.watchdog import watchdog

    async def busy() -> float:
        watchdog.attach(asyncio.get_running_loop())
        await a_turn()
        thread = watchdog._thread
        assert thread is not None
        clock = clocks.ThreadClock(thread.native_id or 0)
        before = clock.read()
        for _ in range(5):
            await a_turn()
        after = clock.read()
        clock.close()
        await asyncio.to_thread(watchdog.stop)
        return (after.cpu_ns - before.cpu_ns) / (after.at_ns - before.at_ns)

    return asyncio.run(busy())


def requests(watch_ns: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Return callbacks, turns and CPU per request of each view, and the watch's computed share."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "cost_settings.py").write_text(SETTINGS)
        Path(folder, "cost_urls.py").write_text(URLS)
        said = subprocess.run(
            [sys.executable, "-c", COUNTING],
            cwd=folder,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "cost_settings", "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        )
    found: dict[str, dict[str, float]] = json.loads(said.stdout)
    for view in VIEWS:
        counted = found[view]
        watch = (
            counted["callbacks"] * max(0.0, watch_ns["callback"][1])
            + counted["turns"] * max(0.0, watch_ns["turn"][1])
            + found["wrapper"]["ns"]
        )
        counted["watch_ns"] = watch
        counted["share"] = watch / counted["cpu_ns"]
    return found


# Counts by standing in for what the loop calls; the CPU time is that of rounds without it.
COUNTING = """
import asyncio, json, sys, time
from asyncio import events
from django.core.asgi import get_asgi_application
application = get_asgi_application()
from django.core.management import call_command
call_command("migrate", verbosity=0)

def scope(view):
    return {"type": "http", "method": "GET", "path": f"/{view}/", "query_string": b"",
            "headers": [(b"host", b"a")], "server": ("a", 80), "asgi": {"version": "3.0"}}

async def ask(view):
    asked = []
    async def receive():
        if asked:
            await asyncio.Event().wait()
        asked.append(1)
        return {"type": "http.request", "body": b""}
    async def send(message):
        pass
    await asyncio.create_task(application(scope(view), receive, send))

async def cpu(view, times=300):
    for _ in range(30):
        await ask(view)
    before = time.process_time_ns()
    for _ in range(times):
        await ask(view)
    return (time.process_time_ns() - before) / times

async def counted(view, times=100):
    loop = asyncio.get_running_loop()
    counts = {"callbacks": 0, "turns": 0}
    run, select = events.Handle._run, loop._selector.select
    def counting_run(self):
        counts["callbacks"] += 1
        return run(self)
    def counting_select(timeout=None):
        counts["turns"] += 1
        return select(timeout)
    events.Handle._run, loop._selector.select = counting_run, counting_select
    for _ in range(times):
        await ask(view)
    events.Handle._run = run
    del loop._selector.select
    return {name: count / times for name, count in counts.items()}

async def wrapper(times=20000):
    from freeloop.watch import origin
    async def nothing():
        pass
    async def loop_of(follow):
        one = {"type": "http", "path": "/a/"}
        before = time.process_time_ns()
        for _ in range(times):
            coroutine = nothing()
            if follow:
                origin.follow(one, coroutine, asyncio.get_running_loop())
            coroutine.close()
            del coroutine
        return (time.process_time_ns() - before) / times
    plain, followed = [], []
    for _ in range(7):
        plain.append(await asyncio.create_task(loop_of(False)))
        followed.append(await asyncio.create_task(loop_of(True)))
    return sorted(followed)[3] - sorted(plain)[3]

async def main():
    found = {}
    for view in ("trivial", "ten_awaits", "orm"):
        found[view] = {"cpu_ns": await cpu(view), **await counted(view)}
    found["wrapper"] = {"ns": await wrapper()}
    print(json.dumps(found))

asyncio.run(main())
"""


def holds(results: dict[str, Any]) -> bool:
    """Return whether the claim does."""
    return (
        results["added_ns"]["watch"]["callback"][1] <= MOST_NS_PER_CALLBACK
        and all(results["requests"][view]["share"] <= MOST_SHARE for view in VIEWS)
        and max(idle(each) for each in results["idle_share"].values()) <= MOST_IDLE
        and watch_served.included(results["served"])
    )


def idle(shares: dict[str, list[float]]) -> float:
    """Return the greater median of the two shares."""
    return max(statistics.median(each) for each in shares.values())


def table(results: dict[str, Any]) -> str:
    """Return all figures as text."""
    rows = ["added CPU time, ns: median of the rounds' pairs (their middle half)"]
    for arm, measured in results["added_ns"].items():
        words = [
            f"per {what} {middle:+8.0f} ({low:+.0f} to {high:+.0f})"
            for what, (low, middle, high) in measured.items()
        ]
        rows.append(f"  {arm:8} {'   '.join(words)}")
    for view in VIEWS:
        each = results["requests"][view]
        rows.append(
            f"{view:12} {each['callbacks']:6.1f} callbacks {each['turns']:6.1f} turns "
            f"{each['cpu_ns'] / 1e6:6.2f} ms CPU, watch {each['watch_ns'] / 1e3:5.1f} us: "
            f"{each['share']:.2%} (computed)"
        )
    rows.append(f"wrapper      {results['requests']['wrapper']['ns'] / 1e3:.2f} us per request")
    for loop, shares in results["idle_share"].items():
        thread, process = (statistics.median(shares[what]) for what in ("thread", "process"))
        rows.append(
            f"idle         {thread:.3%} of a core for the watchdog's thread beside {loop}'s loop, "
            f"{process:.3%} for all of the watch"
        )
    rows.append(f"at full load {results['busy_share']:.3%} of a core for the watchdog's thread")
    rows.append(watch_served.rows(results["served"]))
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
