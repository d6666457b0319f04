"""FL111 sync-orm: a query of Django's ORM on the event loop.

**What it finds.** A query that code on the event loop runs without an await: a call (`get`,
`save`, `count`), a loop over a queryset, a truth test, a foreign key that was not loaded, either of
them in a template that is drawn there, `request.session`, a transaction; in an async function or
any number of calls below one.

**Why it matters.** Django refuses it: `SynchronousOnlyOperation`, status 500. Directly in a view
it dies in development; what ships is a helper with a query on a branch that no test took. In the
test of this rule 3 of 3 requests fail (measured).

**Bad.**

    async def order(request, pk):
        order = await Order.objects.aget(pk=pk)
        return JsonResponse({"guest": order.guest.name})

**Good.**

    async def order(request, pk):
        order = await Order.objects.select_related("guest").aget(pk=pk)
        return JsonResponse({"guest": order.guest.name})

**When to ignore it.** When the rows are there already by a way that reading cannot see.

**Is the fix safe?** `await ...aget(...)` for `...get(...)` is, when the receiver is Django's own
beyond doubt (a name bound once, a chain of Django's methods, a manager that overrides none of
them) and the installed Django has the twin with the same parameters. So are `async for` and async
comprehensions over such a queryset, `[row async for row in rows]` for `list(rows)`,
`aget_object_or_404`, and `aauthenticate`, `alogin`, `alogout` and the session's methods where the
settings name nobody but Django. Everything else is offered with its doubt, or refused: in a
lambda, a generator expression, a transaction. Before and after give the same rows by the same
queries; the tests run both.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass, Guard
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import mend_of_helper, report, short
from freeloop.source.code.causes import GET_USER, Cause, CauseKind
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import Ext
from freeloop.source.code.sites import Site, What

ATOMIC = "django.db.transaction.atomic"


def find(graph: Graph) -> Iterator[Finding]:
    """Yield every query on the loop; `request.user` and transactions have rules of their own."""
    # What was read once is kept, a relation or rows: the second look costs nothing.
    read: set[tuple[Func, str]] = set()
    for site, cause in graph.loop_causes:
        if cause.kind is not CauseKind.QUERY or is_other_rule(site, cause):
            continue
        is_again = site.what is not What.CALL and (site.func, site.text) in read
        if is_again and site.what is What.READ:
            continue
        if site.what is not What.CALL:
            read.add((site.func, site.text))
        yield report(
            graph,
            RULE,
            site,
            f"{cause.implicit or short(cause.subject)} runs a query {on_loop(graph)}",
            subject=cause.subject,
            kind="db",
            mend=mend_of(graph, site, cause),
            certainty=Certainty.CERTAIN if site.func.is_async else Certainty.LIKELY,
            class_=None if graph.refuses_queries else FindingClass.STALL,
            before=Guard.AFTER if is_again else Guard.NONE,
        )


def on_loop(graph: Graph) -> str:
    """Return what becomes of a query there."""
    if graph.refuses_queries:
        return "on the event loop: SynchronousOnlyOperation"
    return "and holds the event loop (the project sets DJANGO_ALLOW_ASYNC_UNSAFE)"


def is_other_rule(site: Site, cause: Cause) -> bool:
    """Tell whether another rule speaks about this query."""
    target = site.target
    if cause.subject == GET_USER:
        return True
    return isinstance(target, Ext) and target.name.startswith(ATOMIC)


def mend_of(graph: Graph, site: Site, cause: Cause) -> str:
    """Return what to write instead."""
    if not site.func.is_async:
        return mend_of_helper(graph, site, "sync_to_async({})(...)")
    if cause.twin and site.what is What.CALL:
        owner, _, _ = site.text.rpartition(".")
        twin = cause.twin.rpartition(".")[2]
        return f"await {owner}.{twin}(...)" if owner else f"await {twin}(...)"
    if site.what is What.ITERATE:
        return f"async for ... in {site.text}"
    if site.what is What.TEST:
        return f"if await {site.text}.aexists()"
    if site.what is What.READ:
        return f'select_related("{site.text.rpartition(".")[2]}") in the query before'
    if cause.implicit and site.what is What.CALL:
        return f"await sync_to_async({site.text})(...), or take the rows before"
    return "take the rows before: [row async for row in ...]"


RULE = Rule("FL111", "sync-orm", FindingClass.CRASH, find)
