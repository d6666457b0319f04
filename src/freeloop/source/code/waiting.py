"""Waiting: what an async function waits for while its task is suspended, in order, and how deep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from freeloop.source.code.causes import CauseKind, Causes
from freeloop.source.code.conditions import is_ruled_out, values_of
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import (
    Ext,
    ExtInst,
    ExtMethod,
    FuncRef,
    Generator,
    Inst,
    Kind,
    Manager,
    Offload,
    QuerySet,
)
from freeloop.source.code.orm import INSTANCE_RUNS, RUNS
from freeloop.source.code.program import Program
from freeloop.source.code.sites import Site, Use, What
from freeloop.source.code.terms import Term

# Clients whose methods wait for another machine, and those of them that only read.
CLIENTS = frozenset({"httpx.AsyncClient", "aiohttp.ClientSession"})
READS = frozenset({"get", "head", "options"})
SENDS = frozenset({"post", "put", "patch", "delete", "request", "send", "stream", "ws_connect"})
SLEEPS = frozenset({"asyncio.sleep", "anyio.sleep"})
# What a response of such a client is asked for.
OF_RESPONSE = ("json", "text", "read", "aread")
RELEASES = ("close_all", "close_old_connections", "release_connections", "connection.close")
DEEPEST = 5


class Wait(StrEnum):
    """What is waited for.

    QUERY: the ORM, in the request's thread. FETCH: a read from another machine. SEND: anything
    else that another machine does. SLEEP: time. RELEASE: the connection is closed. OTHER: what
    reading does not tell.
    """

    QUERY = "query"
    FETCH = "fetch"
    SEND = "send"
    SLEEP = "sleep"
    RELEASE = "release"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One wait.

    Attributes:
        what: For what.
        site: Where in the function that was asked about.
        deep: Where it is written, any number of calls below.
    """

    what: Wait
    site: Site
    deep: Site


class Waits:
    """Tells what functions wait for."""

    def __init__(self, program: Program, causes: Causes) -> None:
        """Tell it of a program."""
        self._program = program
        self._causes = causes

    def of(self, func: Func, known: Mapping[str, Term] | None = None) -> list[Waiting]:
        """Return what a function waits for, its own callees included, in the order of the code.

        Args:
            func: The function.
            known: Values of its parameters; what they rule out is left out.
        """
        known = known or {}
        return [
            Waiting(what, site, deep)
            for site in self._program.sites(func)
            if not is_ruled_out(site, known)
            for what, deep in self._of_site(site, {func}, known)
        ]

    def of_site(self, site: Site) -> list[Wait]:
        """Return what one site waits for."""
        return [what for what, _ in self._of_site(site, {site.func}, {})]

    def changes(self, site: Site) -> bool:
        """Tell whether a function that a site calls, or one below it, sets what others may read."""
        target = site.target
        if not isinstance(target, FuncRef):
            return False
        return any(
            each.what is What.WRITE for func in self._below(target.func, set())
            for each in self._program.sites(func)
        )  # fmt: skip

    def _below(self, func: Func, seen: set[Func]) -> Iterator[Func]:
        if func not in seen and len(seen) <= DEEPEST:
            seen.add(func)
            yield func
            for site in self._program.sites(func):
                if isinstance(site.target, FuncRef):
                    yield from self._below(site.target.func, seen)

    def _of_site(
        self, site: Site, seen: set[Func], known: Mapping[str, Term]
    ) -> Iterator[tuple[Wait, Site]]:
        target = site.target
        if site.what is What.AWAIT and isinstance(target, Generator):
            yield from self._of_function(target.func, seen, {})
        elif site.what is What.AWAIT:
            what = self._of_await(site)
            if what is not None:
                yield what, site
        elif site.what is not What.CALL:
            return
        elif site.text.endswith(RELEASES) or any(_releases(each) for each in site.arguments):
            yield Wait.RELEASE, site
        elif isinstance(target, FuncRef):
            if target.func.is_async and site.use is Use.AWAITED:
                given = values_of(site, target.func, known)
                yield from self._of_function(target.func, seen, given)
        elif site.use in (Use.AWAITED, Use.OTHER):
            what = self._of_call(target, site)
            if what is not None:
                yield what, site

    def _of_function(
        self, func: Func, seen: set[Func], known: Mapping[str, Term]
    ) -> Iterator[tuple[Wait, Site]]:
        if func in seen or len(seen) > DEEPEST:
            return
        for site in self._program.sites(func):
            if not is_ruled_out(site, known):
                yield from self._of_site(site, seen | {func}, known)

    def _of_await(self, site: Site) -> Wait | None:
        """Return what an await waits for that no call before it has told."""
        if isinstance(site.target, QuerySet):
            return Wait.QUERY
        if site.target is not None or site.text.endswith(tuple(f".{n}()" for n in OF_RESPONSE)):
            return None
        # The call of a known client stands before the await of what it gives.
        same = (
            each
            for each in self._program.sites(site.func)
            if each.what is What.CALL and each.line == site.line
        )
        return None if any(self._of_call(each.target, each) for each in same) else Wait.OTHER

    def _of_call(self, target: Kind | None, site: Site) -> Wait | None:
        match target:
            case Ext():
                return Wait.SLEEP if target.name in SLEEPS else None
            case ExtMethod():
                return _of_method(target, site, self._program)
            case Offload():
                return Wait.QUERY if self._queries(target.inner) else Wait.OTHER
            case _:
                pass
        return None

    def _queries(self, inner: Kind | None) -> bool:
        """Tell whether what is handed to a thread runs a query there."""
        match inner:
            case ExtMethod() if isinstance(inner.owner, QuerySet | Manager):
                return inner.name in RUNS
            case FuncRef():
                for func in self._below(inner.func, set()):
                    for site in self._program.sites(func):
                        cause = self._causes.of(site)
                        if cause is not None and cause.kind is CauseKind.QUERY:
                            return True
            case _:
                pass
        return False


def _of_method(target: ExtMethod, site: Site, program: Program) -> Wait | None:
    owner, name = target.owner, target.name
    if isinstance(owner, QuerySet | Manager):
        return Wait.QUERY if name.startswith("a") and name[1:] in RUNS else None
    if isinstance(owner, Inst) and program.resolver.is_model(owner.cls):
        return Wait.QUERY if name.startswith("a") and name[1:] in INSTANCE_RUNS else None
    if isinstance(owner, ExtInst) and owner.name in CLIENTS:
        if name in READS:
            return Wait.FETCH
        return Wait.SEND if name in SENDS else None
    return Wait.OTHER if site.use is Use.AWAITED else None


def _releases(kind: Kind | None) -> bool:
    return isinstance(kind, Ext | ExtMethod) and kind.name.endswith(RELEASES)
