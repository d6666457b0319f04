"""FL304 orm-in-task: a task that outlives its request uses the ORM.

**What it finds.** `create_task` of a function that awaits the ORM, any number of calls below, where
the task is not awaited by the function that starts it.

**Why it matters.** Connections are closed when a request ends. A task that goes on after that opens
one anew, and nobody closes it: with a pool it is never given back, without one it stays open and
idle. With Django 6.1 and PostgreSQL 18, 300 requests left 96 to 99 connections, all that the server
allows; eight such tasks took a pool of four away for good. Under WSGI the task is cancelled when
the view returns.

**Bad.**

    async def order(request):
        tasks.add(asyncio.create_task(book(request.POST)))      # book awaits Order.objects...
        return HttpResponse("thanks")

**Good.** A task framework (`django.tasks`, Celery), or a task that closes its connections in
`finally`: `await sync_to_async(close_old_connections)()`, or Channels' `database_sync_to_async`,
which closes them itself.

**When to ignore it.** When the task is awaited in a way that reading does not see. The rule is
silent about tasks of consumers: since 4.2 Channels closes old connections of their thread with each
message; on an older Channels such a task does keep its connection.

**Is the fix safe?** No: when and where the work runs changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import (
    Coroutine,
    Ext,
    ExtMethod,
    FuncRef,
    Inst,
    Kind,
    Manager,
    Offload,
    QuerySet,
)
from freeloop.source.code.sites import Site, What

DEEPEST = 30
# A bot has no request whose end would close a connection. All consumers share one thread for the
# ORM, and Channels closes its old connections whenever one of them gets a message (since 4.2).
CLOSED_ELSEWHERE = ("bot handler", "consumer")
CLOSES = ("close_old_connections", "close_all", "connection.close", "connections.close_all")


def find(graph: Graph) -> Iterator[Finding]:
    """Yield tasks that nobody awaits and that use the ORM."""
    for site in graph.loop_calls:
        started = _started(site)
        if started is None or _is_awaited(graph, site) or _is_cancelled(site):
            continue
        entry = graph.way_to_site(site).entry
        if entry is not None and entry.what in CLOSED_ELSEWHERE:
            continue
        user = _orm_below(graph, started, set())
        if user is not None:
            yield report(
                graph,
                RULE,
                site,
                f"the task {started.last_name} uses the ORM ({user.last_name}, line {user.line})"
                " after its request: nobody closes its connection",
                subject=started.qualified,
                kind="db",
                mend="django.tasks or Celery, or close_old_connections in its finally",
            )


def _started(site: Site) -> Func | None:
    """Return the function of the project that a call starts as a task of its own."""
    result = site.result
    if not isinstance(result, Coroutine) or not result.task or not site.arguments:
        return None
    given = site.arguments[0]
    of = given.of if isinstance(given, Coroutine) else None
    return of.func if isinstance(of, FuncRef) else None


def _is_awaited(graph: Graph, site: Site) -> bool:
    """Tell whether the function that starts a task waits for it; a task group always does."""
    if any(held.is_async and "Group" in held.text for held in site.held):
        return True
    return any(
        other.what is What.AWAIT and (other.line == site.line or _names(other, site.assigned))
        for other in graph.sites(site.func)
    )


def _is_cancelled(site: Site) -> bool:
    """Tell whether a function inside the one that starts a task ends it with itself."""
    inside = [func for func in site.func.module.functions if func.outer is site.func]
    name = site.assigned.encode()
    return bool(name) and any(name in each.packed and b"cancel" in each.packed for each in inside)


def _names(site: Site, name: str) -> bool:
    # A task in a list is awaited by gather; which list is not followed.
    gathers = ("asyncio.gather", "asyncio.wait")
    return bool(name) and (site.text == name or site.text.startswith(gathers))


def _orm_below(graph: Graph, func: Func, seen: set[Func]) -> Func | None:
    if func in seen or len(seen) > DEEPEST:
        return None
    seen.add(func)
    sites = graph.sites(func)
    if any(_closes(site) for site in sites):
        return None
    for site in sites:
        if _uses_orm(graph, site.target):
            return func
        below = site.target.func if isinstance(site.target, FuncRef) else None
        found = _orm_below(graph, below, seen) if below is not None else None
        if found is not None:
            return found
    return None


def _closes(site: Site) -> bool:
    """Tell whether a site closes connections, itself or through an adapter."""
    return site.text.endswith(CLOSES) or any(
        isinstance(given, Ext) and given.name.endswith(CLOSES) for given in site.arguments
    )


def _uses_orm(graph: Graph, kind: Kind | None) -> bool:
    match kind:
        case ExtMethod() if isinstance(kind.owner, QuerySet | Manager):
            return kind.name.startswith("a") and kind.name not in ("all", "annotate", "alias")
        case ExtMethod() if isinstance(kind.owner, Inst):
            owner = kind.owner.cls
            return kind.name in ("asave", "adelete") and graph.program.resolver.is_model(owner)
        case Offload(closes=False):
            inner = kind.inner
            return isinstance(inner, ExtMethod) and isinstance(inner.owner, QuerySet | Manager)
        case _:
            return False


RULE = Rule("FL304", "orm-in-task", FindingClass.WASTE, find)
