"""Loops: functions of the project that run on an event loop of their own, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freeloop.source.code.deployment import Deployment
from freeloop.source.code.entries import Entry
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import Coroutine, Enter, Ext, FuncRef
from freeloop.source.code.program import Program
from freeloop.source.code.routes import Routes
from freeloop.source.code.settings import Settings
from freeloop.source.code.sites import Site, What
from freeloop.source.code.tasks import is_task

RUNNERS = frozenset({"asyncio.run", "asyncio.runners.run"})
DEEPEST = 4


@dataclass(frozen=True, slots=True)
class OwnLoop:
    """An async function that gets a new loop each time.

    Attributes:
        func: That function.
        why: What runs it: "the task refresh", "async view menu under WSGI".
        path: Where that is written.
        line: In it.
    """

    func: Func
    why: str
    path: str
    line: int


def serves_wsgi_only(program: Program, settings: Settings, deployment: Deployment) -> bool:
    """Tell whether nothing of the project says that an ASGI server runs it."""
    if deployment.interfaces:
        return deployment.interfaces == {"wsgi"}
    has_asgi = any(file.module.endswith("asgi") for file in program.index.files.values())
    return bool(settings.wsgi) and not settings.asgi and not has_asgi


def own_loops(
    program: Program, settings: Settings, entries: list[Entry], *, wsgi_only: bool
) -> Iterator[OwnLoop]:
    """Yield what tasks, sync views and async views under WSGI run on a loop of its own."""
    if wsgi_only:
        for entry in entries:
            if entry.what == "async view" and entry.func.is_async:
                path = entry.func.module.file.path
                yield OwnLoop(entry.func, f"{entry.words} under WSGI", path, entry.func.line)
    for route in Routes(program, settings).all():
        func = route.target.func if isinstance(route.target, FuncRef) else None
        if func is not None and not func.is_async:
            yield from _below(program, func, f"view {func.last_name}", enters=wsgi_only)
    for module in program.index.all_modules():
        for func in module.functions:
            if not func.is_async and is_task(program.resolver, func):
                yield from _below(program, func, f"task {func.last_name}", enters=True)


def _below(program: Program, func: Func, why: str, *, enters: bool) -> Iterator[OwnLoop]:
    seen: set[Func] = set()
    waiting = [func]
    while waiting and len(seen) <= DEEPEST:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        for site in program.sites(here):
            started = _started(site, enters=enters)
            callee = site.target.func if isinstance(site.target, FuncRef) else None
            if started is not None:
                yield OwnLoop(started, why, here.module.file.path, site.line)
            elif site.what is What.CALL and callee is not None and not callee.is_async:
                waiting.append(callee)


def _started(site: Site, *, enters: bool) -> Func | None:
    """Return the async function that a site runs to its end on a new loop."""
    target = site.target
    if site.what is not What.CALL:
        return None
    if enters and isinstance(target, Enter) and isinstance(target.inner, FuncRef):
        return target.inner.func
    if isinstance(target, Ext) and target.name in RUNNERS and site.arguments:
        given = site.arguments[0]
        if isinstance(given, Coroutine) and isinstance(given.of, FuncRef):
            return given.of.func
    return None
