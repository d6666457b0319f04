"""Claim: half an hour of mixed load with faults leaves nothing behind, and no block is lost.

`python benchmarks/watch_soak.py [--minutes 30] [--output FILE]`. Two servers (uvicorn with asyncio
and with uvloop) run a Django site on one PostgreSQL of their own, watched with every outlet that
needs no other program. Clients ask for mixed work at a bounded rate: queries, threads, streams
that are left half-way, views that raise, tasks that lose exceptions or outlive their request; once
a minute all database connections are ended from outside, as a restart of the database does. Once
in two seconds a block of some 80 ms is planted, each under a path of its own.

It fails if a planted block is not reported exactly once: a report under its path with its view in
the stack, or, where nobody could look in time, one of half its length or more: under its path, or
without a stack about the time in which it was asked for. A busy machine may keep the thread that
looks from it: how many have their stack is printed. It
fails if Prometheus counts another number of blocks than the reports do; if the resident memory of a
server grows by more than a twentieth from the second quarter of the run to the last one; if after
the load a server has more threads (those of the loop's bounded executor left out) or open files
than after the first minute; or if the watch made
a mistake or dropped a report. Arrival model: open, a fixed rate, at most 20 requests at once. Not
controlled: the machine's other load. Ends with 1 when the claim fails.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.examples.cafe import free_port
from tests.relief.isolation import databases

SITE = Path(__file__).with_name("soak_site")
LOOPS = ("asyncio", "uvloop")
A_SECOND = 8
MOST_AT_ONCE = 20
BLOCK_EVERY_S = 2.0
MOST_GROWTH = 1.05
# The length of a stretch leaves out the host's own delays; a planted block has 80 ms.
LEAST_MS, CLOCKS_S = 40.0, 0.1
MIXED = ("awaits", "reads", "writes", "in_a_thread", "streams", "fails", "loses", "outlives")
BLOCKS = ("block_wait", "block_cpu", "block_gil", "block_task")


@dataclass(slots=True)
class Server:
    """One server, and what was seen of it.

    Attributes:
        loop: Which event loop it runs.
        port: On the loopback.
        process: The process.
        reports: Its JSON lines.
        planted: Blocks that it was asked for: path, and Unix time before and after.
        rss_kb: Resident memory, every ten seconds.
        before: Threads and files after the first minute.
        after: The same after the load.
        answers: By status; -1 for those that broke off.
    """

    loop: str
    port: int
    process: subprocess.Popen[bytes]
    reports: Path
    planted: list[tuple[str, float, float]] = field(default_factory=list)
    rss_kb: list[int] = field(default_factory=list)
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)

    def held(self) -> dict[str, int]:
        """Return how many threads and files the process has."""
        place = Path("/proc", str(self.process.pid))
        return {kind: len(list((place / kind).iterdir())) for kind in ("task", "fd")}

    def rss(self) -> int:
        """Return the resident memory in kB."""
        pages = int(Path("/proc", str(self.process.pid), "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024

    async def ask(self, path: str, *, leave: bool = False) -> bytes:
        """Return an answer's body; go away after its first bytes if that is wanted."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            with contextlib.closing(writer):
                head = f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                writer.write(head.encode())
                async with asyncio.timeout(30):
                    answer = await (reader.read(200) if leave else reader.read())
        except (OSError, TimeoutError):
            answer = b""
        status = int(answer[9:12]) if answer else -1
        self.answers[status] += 1
        return answer

    async def own(self) -> dict[str, Any]:
        """Return what the watch says of itself, and the names of the threads."""
        found: dict[str, Any] = json.loads((await self.ask("/counts/")).partition(b"\r\n\r\n")[2])
        return found


def main() -> int:
    """Run, judge, print, keep; return 1 if the claim fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    # Ended from outside it takes its servers and its database along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with (
        tempfile.TemporaryDirectory() as folder,
        databases.postgres() as address,
        contextlib.ExitStack() as stack,
    ):
        migrate(address)
        servers = [stack.enter_context(serving(loop, Path(folder), address)) for loop in LOOPS]
        began = time.time()
        counted = asyncio.run(soak(servers, given.minutes * 60, random.Random(given.seed)))
        judged = {
            each.loop: judge(each, counted[each.loop]) | {"answers": dict(each.answers)}
            for each in servers
        }
    failures = [f"{loop}: {each}" for loop, found in judged.items() for each in found["failures"]]
    result = {
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("django", "uvicorn", "uvloop")},
        "cores": os.cpu_count(),
        "began": round(began),
        "minutes": given.minutes,
        "servers": judged,
    }
    if given.output:
        given.output.write_text(json.dumps(result, indent=1) + "\n")
    for loop, found in judged.items():
        print(loop, json.dumps({name: found[name] for name in found if name != "rss_kb"}))
    print("\n".join(failures) or "nothing left behind, every block counted once")
    return int(bool(failures))


def environment(address: str) -> dict[str, str]:
    """Return what a process of the site needs."""
    places = filter(None, (str(SITE), os.environ.get("PYTHONPATH")))
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(places),
        "DJANGO_SETTINGS_MODULE": "soak_settings",
        "SOAK_DATABASE": address,
    }


def migrate(address: str) -> None:
    """Make the tables."""
    command = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
    subprocess.run(command, env=environment(address), check=True)


@contextlib.contextmanager
def serving(loop: str, folder: Path, address: str) -> Iterator[Server]:
    """Run one server until the block is left."""
    port, reports = free_port(), folder / f"{loop}.jsonl"
    command = ["-m", "uvicorn", "soak_asgi:application", f"--loop={loop}", f"--port={port}"]
    process = subprocess.Popen(
        [sys.executable, *command, "--log-level=critical"],
        env=environment(address) | {"FREELOOP_WATCH_LOG": str(reports)},
    )
    try:
        yield Server(loop, port, process, reports)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def soak(
    servers: list[Server], seconds: float, chance: random.Random
) -> dict[str, tuple[float, dict[str, Any]]]:
    """Load the servers; return, for each, the blocks that its metrics count."""
    for each in servers:
        await until_answering(each)
    first = min(60.0, seconds / 5)
    for length in (first, seconds - first):
        async with asyncio.TaskGroup() as group:
            for each in servers:
                group.create_task(load(each, length, random.Random(chance.random())))
                group.create_task(plant(each, length))
                group.create_task(note(each, length))
        for each in servers:
            held = await at_rest(each)
            each.before, each.after = each.before or held, held
    return {each.loop: await counted_blocks(each) for each in servers}


async def until_answering(server: Server) -> None:
    """Wait until the server does."""
    deadline = time.monotonic() + 30
    while not await server.ask("/awaits/"):
        assert time.monotonic() < deadline, "the server does not answer"
        await asyncio.sleep(0.1)
    server.answers.clear()


async def at_rest(server: Server) -> dict[str, int]:
    """Return the least threads and files in a few seconds without load."""
    seen = []
    for _ in range(20):
        await asyncio.sleep(0.4)
        seen.append(server.held())
    least = {kind: min(each[kind] for each in seen) for kind in seen[0]}
    # Those of the loop's own executor are started one by one, up to a bound.
    threads = (await server.own())["threads"]
    least["task"] -= sum(each.startswith(("asyncio_", "uvloop_")) for each in threads)
    return least


async def load(server: Server, seconds: float, chance: random.Random) -> None:
    """Ask for mixed work at a fixed rate."""
    at_once = asyncio.Semaphore(MOST_AT_ONCE)

    async def ask(path: str) -> None:
        async with at_once:
            leave = path == "/streams/" and chance.random() < 0.3
            await server.ask(path, leave=leave)

    deadline = time.monotonic() + seconds
    killed = time.monotonic()
    async with asyncio.TaskGroup() as group:
        while time.monotonic() < deadline:
            group.create_task(ask(f"/{chance.choice(MIXED)}/"))
            if time.monotonic() - killed > 60:
                killed = time.monotonic()
                group.create_task(ask("/kills/"))
            await asyncio.sleep(1 / A_SECOND)


async def plant(server: Server, seconds: float) -> None:
    """Ask for one block after the other."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        number = len(server.planted)
        path = f"/{BLOCKS[number % len(BLOCKS)]}/{number}/"
        began = time.time()
        await server.ask(path)
        server.planted.append((path, began, time.time()))
        await asyncio.sleep(BLOCK_EVERY_S)


async def note(server: Server, seconds: float) -> None:
    """Note the memory now and then, and say how it goes once a minute."""
    deadline = time.monotonic() + seconds
    told = time.monotonic()
    while time.monotonic() < deadline:
        await asyncio.sleep(min(10.0, seconds / 20))
        server.rss_kb.append(server.rss())
        if time.monotonic() - told >= 60:
            told = time.monotonic()
            print(
                f"{time.strftime('%H:%M:%S')} {server.loop:8} {server.rss_kb[-1]} kB, "
                f"{len(server.planted)} blocks, answers {dict(server.answers)}",
                flush=True,
            )


async def counted_blocks(server: Server) -> tuple[float, dict[str, Any]]:
    """Return how many blocks Prometheus counts, and what the watch says of itself."""
    body = (await server.ask("/metrics/")).decode().partition("\r\n\r\n")[2]
    counted = sum(
        float(line.rpartition(" ")[2])
        for line in body.splitlines()
        if line.startswith("freeloop_event_loop_blocked_seconds_count")
    )
    return counted, await server.own()


def judge(server: Server, seen: tuple[float, dict[str, Any]]) -> dict[str, Any]:
    """Return the figures and what speaks against the claim."""
    counted, own = seen
    lines = [json.loads(each) for each in server.reports.read_text().splitlines()]
    blocks = [each for each in lines if each["kind"] == "block"]
    named = Counter(each["path"] for each in blocks if of_a_block(each))
    unseen = [each for each in blocks if not of_a_block(each) and each["ms"] >= LEAST_MS]
    times = {
        path: named[path] or sum(may_be(each, path, began, ended) for each in unseen)
        for path, began, ended in server.planted
    }
    lost = [path for path, count in times.items() if not count]
    twice = [path for path, count in times.items() if count > 1]
    quarter = len(server.rss_kb) // 4
    growth = statistics.median(server.rss_kb[-quarter:]) / statistics.median(
        server.rss_kb[quarter : 2 * quarter]
    )
    strays = [
        f"{each['started'] - server.planted[0][1]:.1f} s: {each['cause']} {each['ms']:.0f} ms"
        f" in {each['path']}, {innermost(each)}"
        for each in blocks
        if not of_a_block(each)
    ]
    failures = []
    if lost or twice:
        failures.append(f"lost {len(lost)} {lost[:5]}, twice {len(twice)} {twice[:5]}")
    if counted != len(blocks):
        failures.append(f"Prometheus counts {counted} blocks, there are {len(blocks)} reports")
    if growth > MOST_GROWTH:
        failures.append(f"memory grew by {growth - 1:.1%}")
    failures += [
        f"{kind} were {server.before[kind]}, are {server.after[kind]}"
        for kind in server.before
        if server.after[kind] > server.before[kind]
    ]
    if own["own_errors"] or own["dropped"] or own["failed"]:
        failures.append(f"the watch says of itself {own}")
    return {
        "planted": len(server.planted),
        "named": sum(count == 1 for count in named.values()),
        "lost": lost,
        "twice": twice,
        "strays": strays[:50],
        "counted": counted,
        "reports": dict(Counter(f"{each['kind']} {each['cause']}" for each in lines)),
        "growth": round(growth, 4),
        "before": server.before,
        "after": server.after,
        "own": own,
        "failures": failures,
        "rss_kb": server.rss_kb,
    }


def may_be(said: dict[str, Any], path: str, began: float, ended: float) -> bool:
    """Return whether a stretch may be the block asked for then; the loop may be held before it."""
    if said["frames"]:
        return bool(said["path"] == path)
    over = said["started"] + said["ms"] / 1000
    return bool(said["started"] <= ended and began - CLOCKS_S <= over)


def innermost(said: dict[str, Any]) -> str:
    """Return where it stood, without the machine's folders."""
    if not said["frames"]:
        return "nobody could look"
    file, line, function = said["frames"][0]
    return f"{Path(file).name}:{line} {function}"


def of_a_block(said: dict[str, Any]) -> bool:
    """Return whether a report has a planted block in its stack."""
    return any("block_" in function or function == "work" for _, _, function in said["frames"])


if __name__ == "__main__":
    sys.exit(main())
