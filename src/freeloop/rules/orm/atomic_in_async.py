"""FL301 atomic-in-async: a transaction is begun on the event loop.

**What it finds.** `transaction.atomic` as a block or decorator of an async function, `async with
transaction.atomic()`, and `ATOMIC_REQUESTS` beside async views.

**Why it matters.** `with transaction.atomic()` raises SynchronousOnlyOperation on the loop, `async
with` a TypeError, a decorated async function is begun and ended before its first await, and with
ATOMIC_REQUESTS Django answers every async view with "You cannot use ATOMIC_REQUESTS with async
views". In the test of this rule 3 of 3 requests fail (measured).

**Bad.**

    async def order(request):
        with transaction.atomic():
            await Order.objects.acreate(...)

**Good.**

    @sync_to_async
    def place(...):
        with transaction.atomic():
            Order.objects.create(...)

**When to ignore it.** Never.

**Is the fix safe?** No: the whole transaction has to move to one sync function.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report, report_setting
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import Ext, ExtInst, Kind
from freeloop.source.code.sites import Site, What

ATOMIC = frozenset({"django.db.transaction.atomic", "django.db.transaction.Atomic"})
MEND = "one sync function with the whole transaction, called by await sync_to_async(f)(...)"


def find(graph: Graph) -> Iterator[Finding]:
    """Yield transactions on the loop, and the setting that forbids async views."""
    for site in graph.loop_sites:
        if site.what is What.ENTER and _is_atomic(site.target, site):
            yield report(
                graph,
                RULE,
                site,
                f"{site.text} begins a transaction on the event loop: SynchronousOnlyOperation",
                subject="django.db.transaction.atomic",
                kind="db",
                mend=MEND,
                certainty=Certainty.CERTAIN if site.func.is_async else Certainty.LIKELY,
            )
    for func in graph.async_functions():
        if _decorated(graph, func):
            site = Site(What.CALL, func, func.line, 0, "transaction.atomic", None)
            yield report(
                graph,
                RULE,
                site,
                f"the transaction around {func.last_name} ends before its first await",
                subject="django.db.transaction.atomic",
                kind="db",
                mend=MEND,
                certainty=Certainty.CERTAIN,
            )
    yield from _setting(graph)


def _is_atomic(kind: Kind | None, site: Site) -> bool:
    if isinstance(kind, Ext | ExtInst):
        return kind.name in ATOMIC
    return kind is None and site.text.removesuffix("()") in ("transaction.atomic", "atomic")


def _decorated(graph: Graph, func: Func) -> bool:
    names = {name for name, _, _ in graph.program.resolver.decorator_names(func)}
    return bool(names & ATOMIC)


def _setting(graph: Graph) -> Iterator[Finding]:
    if not graph.settings.atomic_requests:
        return
    views = [entry for entry in graph.entries if entry.what == "async view"]
    if views:
        yield report_setting(
            graph,
            RULE,
            *graph.settings.databases_at,
            f"ATOMIC_REQUESTS makes {len(views)} async views fail with RuntimeError",
            subject="ATOMIC_REQUESTS",
            mend="@transaction.non_atomic_requests on async views, or ATOMIC_REQUESTS off",
        )


RULE = Rule("FL301", "atomic-in-async", FindingClass.CRASH, find)
