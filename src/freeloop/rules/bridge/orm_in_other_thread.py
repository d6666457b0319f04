"""FL203 orm-in-other-thread: a query runs in a thread that is not the request's.

**What it finds.** A function that runs a query, handed to `sync_to_async(...,
thread_sensitive=False)`, `asyncio.to_thread`, or an executor.

**Why it matters.** Django keeps a connection for each thread. In a thread of a pool nobody closes
it: `CONN_MAX_AGE` and `close_old_connections` work for the request's thread only. The connection
stays open and idle, one for each thread of the pool, and does not see the request's transaction.
In the test of this rule four queries at once leave four connections open, and none in the
request's own thread (measured).

**Bad.**

    rows = await asyncio.to_thread(load_rows)

**Good.**

    rows = await sync_to_async(load_rows)()

**When to ignore it.** When the function closes its connection itself (`connection.close()` in
`finally`).

**Is the fix safe?** No edit is written: the change back to the request's thread puts the calls in
one queue again.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.causes import CauseKind
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import Ext, ExtMethod, FuncRef, Kind, Manager, QuerySet, Text
from freeloop.source.code.orm import RUNS
from freeloop.source.code.resolve import OFFLOADERS
from freeloop.source.code.results import IN_THREAD
from freeloop.source.code.sites import Site, What

DEEPEST = 4


def find(graph: Graph) -> Iterator[Finding]:
    """Yield every query that is handed to another thread than the request's."""
    for func in graph.async_functions():
        for site in graph.sites(func):
            given = _given(site)
            query = _query_of(graph, given) if given is not None else ""
            if query:
                yield report(
                    graph,
                    RULE,
                    site,
                    f"{query} runs a query in a thread whose connection nobody closes",
                    subject=query,
                    kind="db",
                    mend="await sync_to_async(...)(...), which keeps to the request's thread",
                )


def _given(site: Site) -> Kind | None:
    if site.what is not What.CALL or not site.arguments:
        return None
    target = site.target
    if isinstance(target, Ext):
        if target.name in IN_THREAD:
            return site.arguments[0]
        if target.name in OFFLOADERS and site.keywords.get("thread_sensitive") == Text("False"):
            return site.arguments[0]
    if isinstance(target, ExtMethod) and target.name == "run_in_executor":
        return site.arguments[1] if len(site.arguments) > 1 else None
    return None


def _query_of(graph: Graph, given: Kind) -> str:
    """Return which query a function runs; "" when none is seen."""
    match given:
        case ExtMethod() if isinstance(given.owner, QuerySet | Manager):
            return given.name if given.name in RUNS else ""
        case FuncRef() if not given.func.is_async:
            return _query_below(graph, given.func, set())
    return ""


def _query_below(graph: Graph, func: Func, seen: set[Func]) -> str:
    if func in seen or len(seen) > DEEPEST:
        return ""
    seen.add(func)
    sites = graph.sites(func)
    if any(site.text.endswith(("connection.close", "close_old_connections")) for site in sites):
        return ""
    for site in sites:
        cause = graph.causes.of(site)
        if cause is not None and cause.kind is CauseKind.QUERY:
            return func.last_name
        below = site.target.func if isinstance(site.target, FuncRef) else None
        if below is not None and not below.is_async and _query_below(graph, below, seen):
            return func.last_name
    return ""


RULE = Rule("FL203", "orm-in-other-thread", FindingClass.WASTE, find)
