"""Before the first server: find and question the project, refuse what must not be loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from freeloop.errors import FreeloopError
from freeloop.measure.servers import require, server_named
from freeloop.model.plan import Plan, Side
from freeloop.model.request import RequestSpec
from freeloop.source.arms import relievable
from freeloop.source.doubts import doubts
from freeloop.source.facts import Facts, Target, inspect_project, resolve
from freeloop.source.project import Project, find_project


@dataclass(frozen=True, slots=True)
class Prepared:
    """A project that may be benched, and where the requests of a plan lead.

    Attributes:
        project: Root, settings, interpreter.
        facts: What it says about itself.
        targets: Where each request leads, by the request's name.
        users: Names of the users whose sessions are wanted.
        notes: What makes verdicts about it doubtful.
    """

    project: Project
    facts: Facts
    targets: Mapping[str, Target]
    users: tuple[str, ...]
    notes: tuple[str, ...]

    def dressed(self, sessions: Mapping[str, Mapping[str, str]]) -> Mapping[str, Target]:
        """Return the targets with the cookies and headers that their requests need."""
        return {
            name: dressed(target, self.facts, sessions) for name, target in self.targets.items()
        }


def prepare(
    plan: Plan, *, start: Path, settings: str | None, python: str | None, allow_writes: bool
) -> Prepared:
    """Question the project about everything that the plan needs.

    Raises:
        FreeloopError: If the project, the plan or the installed servers do not allow it.
    """
    _refuse_writes(plan, allowed=allow_writes)
    project = find_project(start, settings=settings, python=python)
    servers = {name: server_named(name) for name in {side.arm.server for side in sides_of(plan)}}
    for side in sides_of(plan):
        if side.arm.relief:
            relievable(side.arm.server, f"arm {side.arm.name}")
    for name in sorted(servers):
        require(servers[name], str(project.python))
    facts = inspect_project(project)
    refuse_unreachable(facts)
    requests = _requests(plan)
    names = [each.name for each in requests]
    targets = dict(zip(names, resolve(project, requests), strict=True))
    refuse_unknown_paths(targets)
    return Prepared(
        project=project,
        facts=facts,
        targets=targets,
        users=tuple(sorted({each.user for each in requests if each.user})),
        notes=tuple(doubts(facts, {name: servers[name].interface for name in servers})),
    )


def sides_of(plan: Plan) -> Iterator[Side]:
    """Yield the sides of all pairs and races."""
    for pair in plan.pairs:
        yield from (pair.a, pair.b)
    for race in plan.races:
        yield from race.sides


def _requests(plan: Plan) -> tuple[RequestSpec, ...]:
    """Return every request of the plan once, by name."""
    found = {side.request.name: side.request for side in sides_of(plan)}
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


def refuse_unreachable(facts: Facts) -> None:
    """Raise where no request from this machine would reach a view."""
    if facts.host is None or facts.redirects_to_https:
        raise _unreachable(facts)


def refuse_unknown_paths(targets: Mapping[str, Target]) -> None:
    """Raise for a path that the URLconf does not have, if it has some that look like it."""
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
            mend='add "127.0.0.1" to ALLOWED_HOSTS of the settings used here',
        )
    return FreeloopError(
        "redirects-to-https",
        what="the project redirects every request to https",
        where="SECURE_SSL_REDIRECT is on and SECURE_PROXY_SSL_HEADER is not set",
        mend="use settings in which SECURE_SSL_REDIRECT is off",
    )


def dressed(target: Target, facts: Facts, sessions: Mapping[str, Mapping[str, str]]) -> Target:
    """Return the target with the cookies and headers that its request needs to be served."""
    request = target.request
    if request.user:
        request = request.with_cookies(sessions[request.user])
    headers = {**facts.secure_headers, **request.headers}
    return replace(target, request=replace(request, headers=headers))
