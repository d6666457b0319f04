"""FL401 never-awaits: an async view that never awaits.

**What it finds.** An async view, or async handler of a class, without an await, an async loop or
an async block.

**Why it matters.** It cannot wait, so async gains nothing; its CPU runs on the loop, where
everybody else waits for it, and under WSGI each call starts an event loop: 1.9 to 2.2 ms a request
in the test client, 0.6 to 0.75 ms for the sync twin (Django 6.1). In the sample project such a
view that draws a template serves 0.37 times the requests of its sync twin on threads (0.28 to
0.48, measured at 50 in flight: `freeloop bench --plan all.toml --only template`).

**Bad.**

    async def health(request):
        return HttpResponse("ok")

**Good.**

    def health(request):
        return HttpResponse("ok")

**When to ignore it.** When it is trivial and the whole stack is async: a sync view costs a thread
hop under ASGI, so a view of microseconds is cheaper left async there.

**Is the fix safe?** Taking `async` away is, when nobody awaits or gathers the view by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import Ext, FuncRef, Generator
from freeloop.source.code.sites import Site, What

# Fewer calls than this, and the hop of a sync view under ASGI costs more than the view.
WORTH_A_HOP = 4
DRAWS = frozenset({"django.shortcuts.render", "django.template.loader.render_to_string"})


def find(graph: Graph) -> Iterator[Finding]:
    """Yield async views that never await and do more than a little."""
    blocked = _entries_that_block(graph)
    for entry in graph.entries:
        func = entry.func
        if entry.what != "async view" or func.awaits or func.yields or not func.is_async:
            continue
        if func in blocked or not _works(graph, func):
            continue
        site = Site(What.CALL, func, func.line, 0, func.last_name, None)
        yield report(
            graph,
            RULE,
            site,
            f"{func.last_name} is async and never awaits: its work runs on the loop",
            subject=func.qualified,
            mend=f"def {func.last_name}(...), which Django runs in a thread under ASGI",
            certainty=Certainty.CERTAIN,
        )


def _entries_that_block(graph: Graph) -> set[Func]:
    """Return entry points with a finding of their own: mending that may bring an await."""
    found: set[Func] = set()
    for site, _ in graph.loop_causes:
        way = graph.way_to(site.func)
        found.update(entry.func for entry in (way.entry, *way.others) if entry is not None)
    return found


def _works(graph: Graph, func: Func) -> bool:
    calls = [site for site in graph.sites(func) if site.what is What.CALL]
    if any(isinstance(site.result, Generator) and site.result.func.is_async for site in calls):
        # It answers with a stream, which waits for it.
        return False
    return len(calls) >= WORTH_A_HOP or any(
        isinstance(site.target, FuncRef)
        or (isinstance(site.target, Ext) and site.target.name in DRAWS)
        for site in calls
    )


RULE = Rule("FL401", "never-awaits", FindingClass.WASTE, find)
