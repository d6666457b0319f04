"""FL302 gathered-orm: queries of the ORM are gathered, and still run one after another.

**What it finds.** `asyncio.gather` or tasks over async methods of the ORM.

**Why it matters.** All thread-sensitive calls of a request share one thread: three slow queries
gathered take as long as three in a row (in the sample project 0.61 s and 0.62 s). In a task group
an error of one leaves the others running on that thread.

**Bad.**

    guests, dishes = await asyncio.gather(Guest.objects.acount(), Dish.objects.acount())

**Good.**

    guests = await Guest.objects.acount()
    dishes = await Dish.objects.acount()

**When to ignore it.** When something else than queries is gathered too, and takes longer.

**Is the fix safe?** Awaiting in sequence is: the order of the queries stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import (
    Coroutine,
    Ext,
    ExtMethod,
    Inst,
    Kind,
    Manager,
    Many,
    Offload,
    QuerySet,
)
from freeloop.source.code.sites import What

GATHERS = frozenset({"asyncio.gather", "asyncio.tasks.gather"})


def find(graph: Graph) -> Iterator[Finding]:
    """Yield every gather of nothing but queries."""
    for func in graph.async_functions():
        for site in graph.sites(func):
            target = site.target
            if site.what is not What.CALL or not isinstance(target, Ext):
                continue
            if target.name not in GATHERS or not site.arguments:
                continue
            given = [each.item if isinstance(each, Many) else each for each in site.arguments]
            if all(_is_query(graph, each) for each in given):
                yield report(
                    graph,
                    RULE,
                    site,
                    "gathered queries run one after another on the request's thread",
                    subject=target.name,
                    kind="db",
                    mend="await them in sequence, or get the rows in one query",
                )


def _is_query(graph: Graph, kind: Kind | None) -> bool:
    if not isinstance(kind, Coroutine):
        return False
    of = kind.of
    if isinstance(of, ExtMethod):
        owner = of.owner
        return isinstance(owner, QuerySet | Manager) or (
            isinstance(owner, Inst) and graph.program.resolver.is_model(owner.cls)
        )
    if isinstance(of, Offload) and of.sensitive and isinstance(of.inner, ExtMethod):
        return isinstance(of.inner.owner, QuerySet | Manager)
    return False


RULE = Rule("FL302", "gathered-orm", FindingClass.WASTE, find)
