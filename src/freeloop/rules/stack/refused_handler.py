"""FL404 refused-handler: an async handler where the framework does not await it.

**What it finds.** An async method or function under Django REST framework's `APIView` or
`api_view`, and a class-based view of Django with both sync and async handlers.

**Why it matters.** Django REST framework calls the handler and gets a coroutine: "Expected a
`Response` ... but received a `<class 'coroutine'>`", status 500. A mixed class raises
ImproperlyConfigured: "HTTP handlers must either be all sync or all async". In the test of this
rule 3 of 3 requests of Django REST framework fail (measured).

**Bad.**

    class Menu(APIView):
        async def get(self, request): ...

**Good.** A sync handler, or a framework that awaits: plain Django views, Django Ninja, adrf.

**When to ignore it.** When a base class of yours awaits the handler.

**Is the fix safe?** No: what the handler awaits has to become sync.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.refusals import refusal
from freeloop.source.code.sites import Site, What


def find(graph: Graph) -> Iterator[Finding]:
    """Yield async handlers that nobody awaits, and classes of both kinds."""
    routed = {entry.func: entry for entry in graph.never_awaited}
    for func in graph.async_functions():
        problem = refusal(graph.program.resolver, func)
        if problem:
            entry = routed.get(func)
            found = report(
                graph,
                RULE,
                Site(What.CALL, func, func.line, 0, func.last_name, None),
                f"{func.name} is async, and {problem}",
                subject=func.qualified,
                mend="a sync handler, or a framework that awaits (Django's views, ninja, adrf)",
                certainty=Certainty.CERTAIN,
            )
            yield found if entry is None else replace(found, entry=entry.words, rooted=True)


RULE = Rule("FL404", "refused-handler", FindingClass.CRASH, find)
