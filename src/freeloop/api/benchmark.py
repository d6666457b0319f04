"""Run a plan: find the project, serve and load every pair and race, gather the results."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from freeloop import __version__
from freeloop.api.effort import Clock, Effort
from freeloop.api.options import BenchOptions
from freeloop.api.pair import measure_pair
from freeloop.api.race import run_race
from freeloop.api.serving import Bench
from freeloop.errors import FreeloopError, Interrupted
from freeloop.judge.stats import LOOKS, Looks
from freeloop.measure.client import RawEngine
from freeloop.measure.servers import require, server_named
from freeloop.model.plan import Plan, Side
from freeloop.model.progress import Progress, Step
from freeloop.model.request import RequestSpec
from freeloop.model.run import Environment, PairResult, RaceResult, Run
from freeloop.source.doubts import doubts
from freeloop.source.facts import Facts, Target, inspect_project, resolve
from freeloop.source.login import sessions_for
from freeloop.source.project import find_project


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
    _refuse_writes(plan, allowed=options.allow_writes)
    project = find_project(start, settings=settings, python=python)
    servers = {name: server_named(name) for name in {side.arm.server for side in _sides(plan)}}
    for name in sorted(servers):
        require(servers[name], str(project.python))
    facts = inspect_project(project)
    if facts.host is None or facts.redirects_to_https:
        raise _unreachable(facts)
    requests = _requests(plan)
    targets = {
        each.name: target for each, target in zip(requests, resolve(project, requests), strict=True)
    }
    _refuse_unknown_paths(targets)
    for database in facts.databases:
        announce(f"database {database.sentence}")
    server_cores, client_cores = _split_cores()
    pairs: list[PairResult] = []
    races: list[RaceResult] = []
    environment = _environment(facts, server_cores, client_cores, options)
    effort = Effort()
    notes = [*doubts(facts, {name: servers[name].interface for name in servers})]
    try:
        with ExitStack() as stack:
            stack.enter_context(_held_to(client_cores))
            sessions = stack.enter_context(
                sessions_for(project, sorted({each.user for each in requests if each.user}))
            )
            bench = Bench(
                project=project,
                facts=facts,
                targets={
                    name: _dressed(target, facts, sessions) for name, target in targets.items()
                },
                engine=stack.enter_context(RawEngine(cores=client_cores)),
                effort=effort,
                clock=Clock(plan, effort),
                progress=progress,
                server_cores=server_cores,
                cores=len(server_cores) or os.cpu_count() or 1,
                notes=notes,
                looks=_looks(options),
            )
            for race in plan.races:
                bench.clock.begin(bench.clock.race_s(len(race.sides)))
                races.append(run_race(bench, race))
                bench.clock.end()
            for pair in plan.pairs:
                bench.clock.begin(
                    bench.clock.pair_s(len(pair.concurrency), neighbour=pair.neighbour is not None)
                )
                for result in measure_pair(bench, pair):
                    pairs.append(result)
                    on_result(result)
                bench.clock.end()
    except (Interrupted, KeyboardInterrupt):
        if not pairs and not races:
            raise
        return Run(environment, tuple(pairs), tuple(races), tuple(notes), complete=False)
    return Run(environment, tuple(pairs), tuple(races), tuple(notes))


def _looks(options: BenchOptions) -> Looks:
    most = options.max_rounds or LOOKS.last
    return Looks(at=(most,), level=LOOKS.level) if options.all_rounds else LOOKS.until(most)


def _sides(plan: Plan) -> Iterator[Side]:
    for pair in plan.pairs:
        yield from (pair.a, pair.b)
    for race in plan.races:
        yield from race.sides


def _requests(plan: Plan) -> tuple[RequestSpec, ...]:
    """Return every request of the plan once, by name."""
    found = {side.request.name: side.request for side in _sides(plan)}
    found |= {pair.neighbour.name: pair.neighbour for pair in plan.pairs if pair.neighbour}
    return tuple(found.values())


def _refuse_writes(plan: Plan, *, allowed: bool) -> None:
    for request in _requests(plan):
        if request.writes and not allowed:
            raise FreeloopError(
                "writes-not-allowed",
                what=f"{request.name} uses {request.method}, which may change data, many times",
                where="the database that the project's settings name",
                mend="use a database that may be changed and add --allow-writes",
            )


def _refuse_unknown_paths(targets: Mapping[str, Target]) -> None:
    for target in targets.values():
        if target.found is False and target.near:
            raise FreeloopError(
                "no-such-path",
                what=f"the URLconf has no path {target.path}",
                where=f"request {target.request.name}",
                mend=f"did you mean {' or '.join(target.near)}?",
            )


def _unreachable(facts: Facts) -> FreeloopError:
    if facts.host is None:
        return FreeloopError(
            "no-allowed-host",
            what="the project accepts no Host header",
            where=f"ALLOWED_HOSTS = {list(facts.allowed_hosts)!r}, DEBUG = {facts.debug}",
            mend='add "127.0.0.1" to ALLOWED_HOSTS of the settings used for bench',
        )
    return FreeloopError(
        "redirects-to-https",
        what="the project redirects every request to https",
        where="SECURE_SSL_REDIRECT is on and SECURE_PROXY_SSL_HEADER is not set",
        mend="bench with settings in which SECURE_SSL_REDIRECT is off",
    )


def _dressed(target: Target, facts: Facts, sessions: Mapping[str, Mapping[str, str]]) -> Target:
    """Return the target with the cookies and headers that its request needs to be served."""
    request = target.request
    if request.user:
        request = request.with_cookies(sessions[request.user])
    headers = {**facts.secure_headers, **request.headers}
    return replace(target, request=replace(request, headers=headers))


def _split_cores() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the cores for servers and for the client; both empty where they cannot be held.

    The client gets a core of its own: beside the server it would be measured with it.
    """
    if not hasattr(os, "sched_getaffinity"):
        return (), ()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return (), ()
    return tuple(cores[:-1]), (cores[-1],)


@contextmanager
def _held_to(cores: tuple[int, ...]) -> Iterator[None]:
    """Keep this process off the servers' cores: it watches them many times a second."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _environment(
    facts: Facts,
    server_cores: tuple[int, ...],
    client_cores: tuple[int, ...],
    options: BenchOptions,
) -> Environment:
    return Environment(
        freeloop=__version__,
        started=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
        python=facts.python,
        packages=facts.packages,
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        cores=os.cpu_count() or 1,
        server_cores=server_cores,
        client_cores=client_cores,
        databases=tuple(database.sentence for database in facts.databases),
        middleware=facts.middleware,
        command=options.command,
        load_before=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )
