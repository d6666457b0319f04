"""Claim: relief makes an async request cost a fraction of stock Django's CPU, and less than WSGI.

A new project (`relief_site`: seven default middleware, SQLite) on uvicorn, 50 connections, closed
model, one process. CPU of the server's processes per request, relieved against stock Django and
against gunicorn gthread with 50 threads, in rounds of one run that take turns. Each ratio comes
with its 95 % interval, and the claim holds when all of the interval lies below the bound. The
servers may use every core, as they do in production:

    hello, default middleware               at most 0.25 x stock, 0.8 x gthread (its sync twin)
    hello, no middleware                    at most 0.4  x stock
    logged in, session loaded and saved     at most 0.8  x stock (database), 0.7 x (cache)
    sync view                               at most 0.5  x stock
    async view with one `aget`              at most 0.65 x stock
    500 requests that wait at once          at most 8 threads in the process (stock: 500 or more)
    calls handed to a thread                hello none; of each cell what `freeloop.relief.explain`
                                            says, by name, stock and relieved

On one core (`--one-core`) fifty threads have nobody to fight with for the interpreter lock: there
hello costs about what it costs under gthread (0.9 to 1.0 x seen), and that bound does not hold.

Not controlled: what else the machine does (ratios of neighbouring rounds bear it), and the share of
SQLite itself in the cells that query: another database makes these ratios others.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from http.cookies import SimpleCookie
from importlib.metadata import version
from pathlib import Path
from typing import Any

from freeloop.api.machine import held_to, split_cores
from freeloop.judge.stats import ratio_interval
from freeloop.measure.client import RawEngine
from freeloop.measure.launch import Launch
from freeloop.measure.load import Load
from freeloop.measure.process import ServerProcess
from freeloop.measure.rounds import drain, timed_round, warm_up
from freeloop.measure.servers import server_named
from freeloop.model.request import Expect, RequestSpec
from freeloop.model.run import Round

SITE = Path(__file__).with_name("relief_site")
RESULTS = Path(__file__).parent / "results" / "relief.json"
CONNECTIONS = 50
WAITING = 500
WAIT_MS = 1500
MOST_THREADS = 8
LEVEL = 0.95
SESSIONS = 10
PACKAGES = ("django", "asgiref", "uvicorn", "uvloop", "gunicorn")


@dataclass(frozen=True, slots=True)
class Side:
    """One deployment and what is asked of it.

    Attributes:
        server: As in plans.
        path: What is loaded.
        relief: Installed, or forbidden; None under WSGI.
    """

    server: str
    path: str
    relief: bool | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """Sides that are compared with the first one, the relieved.

    Attributes:
        name: Of the claim.
        sides: By name; "relief" first.
        most: The most that relief may cost of each other side.
        settings: Put over those of the site.
        logged_in: Whether the requests carry sessions.
        pays: Hops that relief takes off a usual request and this one makes: it meets a condition
            that `freeloop relief --explain` names.
    """

    name: str
    sides: dict[str, Side]
    most: dict[str, float]
    settings: dict[str, object] = field(default_factory=dict)
    logged_in: bool = False
    pays: tuple[str, ...] = ()


def against_stock(path: str) -> dict[str, Side]:
    """Return the relieved and the stock side of one path."""
    return {
        "relief": Side("uvicorn", path, relief=True),
        "stock": Side("uvicorn", path, relief=False),
    }


# A request that made a thread closes in it; a session that was changed is saved there.
CLOSING = ("HttpResponseBase.close",)
SAVING = (*CLOSING, "SessionMiddleware.process_response")
CELLS = (
    Cell(
        "hello, default middleware",
        {**against_stock("/"), "gthread": Side("gunicorn:gthread", "/sync/")},
        {"stock": 0.25, "gthread": 0.8},
    ),
    Cell("hello, no middleware", against_stock("/"), {"stock": 0.4}, {"MIDDLEWARE": []}),
    Cell(
        "saved session, database",
        against_stock("/visit/"),
        {"stock": 0.8},
        logged_in=True,
        pays=SAVING,
    ),
    Cell(
        "saved session, cache",
        against_stock("/visit/"),
        {"stock": 0.7},
        {"SESSION_ENGINE": "django.contrib.sessions.backends.cache"},
        logged_in=True,
        pays=SAVING,
    ),
    Cell("sync view", against_stock("/sync/"), {"stock": 0.5}),
    Cell("async view, one aget", against_stock("/query/"), {"stock": 0.65}, pays=CLOSING),
)


@dataclass(frozen=True, slots=True)
class Bench:
    """What all cells share.

    Attributes:
        engine: Sends the load.
        environment: Of the served site.
        cores: Of the servers; empty for all.
        rounds: Per side.
        seconds: Of a round.
    """

    engine: RawEngine
    environment: dict[str, str]
    cores: tuple[int, ...]
    rounds: int
    seconds: float

    @contextmanager
    def served(self, side: Side, settings: dict[str, object]) -> Iterator[ServerProcess]:
        """Serve the site until the block ends."""
        launch = Launch(
            server=server_named(side.server),
            root=SITE,
            settings="site_settings",
            threads=CONNECTIONS,
            overrides=settings,
            relief=side.relief,
            cores=self.cores,
            environment=self.environment,
        )
        with ServerProcess(launch) as process:
            process.wait_ready("/", timeout_s=30)
            yield process

    def timed(self, process: ServerProcess, load: Load) -> Round:
        """Return one round without failures, after which the server rests."""
        taken = timed_round(self.engine, process.pid, load, cores=self.cores)
        assert not taken.failures, (taken.failures, taken.sample_failure)
        drain(process.pid, cores=len(self.cores) or os.cpu_count() or 1)
        return taken.round


def measured(bench: Bench, cell: Cell) -> dict[str, list[Round]]:
    """Return the rounds of each side; who goes first changes with every turn."""
    with ExitStack() as stack:
        loads: dict[str, tuple[ServerProcess, Load]] = {}
        for name, side in cell.sides.items():
            process = stack.enter_context(bench.served(side, cell.settings))
            load = Load(
                port=process.port,
                requests=requests_to(process, side.path, logged_in=cell.logged_in),
                connections=CONNECTIONS,
                seconds=bench.seconds,
            )
            loads[name] = process, load
            warm_up(bench.engine, process.pid, lambda _, load=load: load, window_s=bench.seconds)
            drain(process.pid, cores=len(bench.cores) or os.cpu_count() or 1)
        rounds: dict[str, list[Round]] = {name: [] for name in loads}
        for turn in range(bench.rounds):
            for name in in_turn(list(loads), turn):
                rounds[name].append(bench.timed(*loads[name]))
    return rounds


def in_turn(names: list[str], turn: int) -> list[str]:
    """Return the order of one turn: A B, B A of two; each of three is first as often."""
    return names[turn % len(names) :] + names[: turn % len(names)]


def requests_to(process: ServerProcess, path: str, *, logged_in: bool) -> tuple[RequestSpec, ...]:
    """Return the requests of a load, with sessions made by this server where they are wanted."""
    if not logged_in:
        return (RequestSpec(name=path, url=path),)
    cookies = [logged_in_cookie(process) for _ in range(SESSIONS)]
    return tuple(
        RequestSpec(
            name=f"{path} {number}",
            url=path,
            cookies={"sessionid": cookie},
            expect=Expect(contains="guest"),
        )
        for number, cookie in enumerate(cookies)
    )


def logged_in_cookie(process: ServerProcess) -> str:
    """Return the session that the site gives to a new guest."""
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=20)
    try:
        connection.request("GET", "/log-in/")
        answer = connection.getresponse()
        answer.read()
        given = SimpleCookie("; ".join(answer.headers.get_all("Set-Cookie", [])))
    finally:
        connection.close()
    assert answer.status == 200, answer.status
    return given["sessionid"].value


def judged(cell: Cell, rounds: dict[str, list[Round]]) -> dict[str, Any]:
    """Print the claims of a cell, and return them with all rounds."""
    for name, taken in rounds.items():
        cpu_ms = statistics.median(each.cpu_ms for each in taken)
        rps = statistics.median(each.throughput_rps for each in taken)
        threads = max(each.threads for each in taken)
        print(f"{cell.name}  {name:8} {cpu_ms:.3f} ms CPU  {rps:.0f} requests/s  {threads} threads")
    claims = []
    for name, most in cell.most.items():
        logs = [
            math.log(mine.cpu_ms / other.cpu_ms)
            for mine, other in zip(rounds["relief"], rounds[name], strict=True)
        ]
        seen = ratio_interval(logs, level=LEVEL)
        word = "holds" if seen.high <= most else "REFUTED" if seen.low > most else "UNDECIDED"
        print(
            f"{cell.name}  {seen.ratio:.3f} x {name} ({seen.low:.3f} to {seen.high:.3f},"
            f" at most {most}): {word}"
        )
        claims.append({"against": name, "most": most, **asdict(seen), "holds": seen.high <= most})
    return {
        "cell": cell.name,
        "claims": claims,
        "rounds": {name: [asdict(each) for each in taken] for name, taken in rounds.items()},
    }


def waiting(bench: Bench) -> dict[str, Any]:
    """Print and return the threads of the process while so many requests only wait."""
    threads = {}
    for name, side in against_stock(f"/wait/?ms={WAIT_MS}").items():
        with bench.served(side, {}) as process:
            load = Load(
                port=process.port,
                requests=(RequestSpec(name="wait", url=side.path),),
                connections=WAITING,
                seconds=2 * WAIT_MS / 1000,
            )
            threads[name] = bench.timed(process, load).threads
    holds = threads["relief"] <= MOST_THREADS and threads["stock"] >= WAITING
    print(
        f"{WAITING} waiting  {threads['relief']} threads (at most {MOST_THREADS}),"
        f" stock {threads['stock']}: {'holds' if holds else 'REFUTED'}"
    )
    return {"cell": f"{WAITING} waiting", "threads": threads, "holds": holds}


def hops(environment: dict[str, str], cell: Cell) -> dict[str, Any]:
    """Print and return what one request of a cell hands to threads, and where `explain` errs."""
    question = {
        "path": cell.sides["relief"].path,
        "settings": cell.settings,
        "logged_in": cell.logged_in,
        "pays": cell.pays,
    }
    done = subprocess.run(
        [sys.executable, "hops.py", json.dumps(question)],
        cwd=SITE,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    answer = json.loads(done.stdout)
    counted = {name: sum(answer[name].values()) for name in ("stock", "relief")}
    wrong = answer["differences"]
    if cell.name.startswith("hello") and counted["relief"]:
        wrong.append("hello hops")
    print(
        f"{cell.name}  hops: stock {counted['stock']}, relief {counted['relief']};"
        f" said of a usual request {answer['said']}, of this one {len(cell.pays)} more:"
        f" {'REFUTED, ' + '; '.join(wrong) if wrong else 'holds'}"
    )
    return {"cell": f"hops: {cell.name}", **answer, "holds": not wrong}


@contextmanager
def site_environment() -> Iterator[dict[str, str]]:
    """Make the site's database, and remove it at the end."""
    with tempfile.TemporaryDirectory(prefix="freeloop-relief-") as folder:
        environment = {"RELIEF_SITE_DB": str(Path(folder, "site.sqlite3"))}
        subprocess.run(
            [sys.executable, "prepare.py"],
            cwd=SITE,
            env={**os.environ, **environment},
            check=True,
        )
        # Whoever closes the last connection to a file tidies its log up: never a request.
        with closing(sqlite3.connect(environment["RELIEF_SITE_DB"])) as kept_open:
            kept_open.execute("SELECT COUNT(*) FROM auth_user")
            yield environment


def main() -> int:
    """Run all cells, print and keep them, and return 1 when a claim does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="per side, at least 10")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a round")
    parser.add_argument("--only", metavar="TEXT", default="", help="cells with this in their name")
    parser.add_argument("--one-core", action="store_true", help="hold the servers to one core")
    given = parser.parse_args()
    one_core, client_cores = split_cores()
    server_cores = one_core if given.one_core else tuple(sorted(os.sched_getaffinity(0)))
    results: list[dict[str, Any]] = []
    with (
        site_environment() as environment,
        held_to(client_cores),
        RawEngine(cores=client_cores) as engine,
    ):
        bench = Bench(engine, environment, server_cores, given.rounds, given.seconds)
        wanted = [cell for cell in CELLS if given.only in cell.name]
        results += (judged(cell, measured(bench, cell)) for cell in wanted)
        results += (hops(environment, cell) for cell in wanted)
        if not given.only:
            results.append(waiting(bench))
    claims = [claim for each in results for claim in each.get("claims", [each])]
    holds = all(claim["holds"] for claim in claims)
    if not given.only and not given.one_core:
        keep(results, holds=holds)
    print("all claims hold" if holds else "a claim does not hold")
    return 0 if holds else 1


def keep(results: list[dict[str, Any]], *, holds: bool) -> None:
    """Write the raw rounds with what they were taken on."""
    about = {
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }
    content = {"claim": __doc__, "holds": holds, "environment": about, "results": results}
    RESULTS.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
