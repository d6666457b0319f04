"""FL403 sync-stream: a streaming response is given a sync iterator under ASGI.

**What it finds.** `StreamingHttpResponse` in an async view with a sync generator, a list of sync
calls, or a queryset.

**Why it matters.** Under ASGI Django collects the whole iterator in a thread before it sends the
first byte, with a warning: memory grows with the answer, the first byte comes last, and an
endless stream never starts. Of five parts made 0.1 s apart the first came after 0.5 s, with an
async generator after 0.1 s (Django 5.2 and 6.1).

**Bad.**

    async def export(request):
        return StreamingHttpResponse(rows())

**Good.**

    async def export(request):
        return StreamingHttpResponse(rows_async())

**When to ignore it.** Short answers that are collected at once.

**Is the fix safe?** No: the generator has to become an async one.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import Ext, Generator, QuerySet

STREAMS = frozenset(
    {"django.http.StreamingHttpResponse", "django.http.response.StreamingHttpResponse"}
)


def find(graph: Graph) -> Iterator[Finding]:
    """Yield streaming responses on the loop over a sync generator or queryset."""
    for site in graph.loop_calls:
        target = site.target
        if not isinstance(target, Ext) or target.name not in STREAMS:
            continue
        content = site.arguments[0] if site.arguments else site.keywords.get("streaming_content")
        sync = isinstance(content, Generator) and not content.func.is_async
        if sync or isinstance(content, QuerySet):
            yield report(
                graph,
                RULE,
                site,
                "a sync iterator is collected to its end before the first byte under ASGI",
                subject=target.name,
                mend="an async generator",
                certainty=Certainty.CERTAIN if sync else Certainty.LIKELY,
            )


RULE = Rule("FL403", "sync-stream", FindingClass.WASTE, find)
