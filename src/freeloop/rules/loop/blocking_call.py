"""FL101 blocking-call: a call that waits, made on the event loop.

**What it finds.** A call into a socket, another process, a sleep, a name lookup, a lock or a
database driver, made by code that runs on the event loop: in an async view, or any number of
calls below one, through properties, context managers, comprehensions, decorators and signal
receivers. What blocks was found out by running the libraries, not by their names.

**Why it matters.** While the call waits, the loop serves nobody. In the sample project one
blocking call of 20 ms, two calls below an async view, makes fifty requests wait in one queue:
awaited, the view answers 14 times the requests (12 to 17, measured: `freeloop bench --plan
all.toml --only "hidden blocking call"`).

**Bad.**

    async def checkout(request):
        rate = requests.get(RATES).json()

**Good.**

    async def checkout(request):
        async with httpx.AsyncClient() as client:
            rate = (await client.get(RATES)).json()

**When to ignore it.** When the loop has nobody else to serve: a management command, a script, the
end of the process.

**Is the fix safe?** `await asyncio.sleep(...)` for `time.sleep(...)` is, directly in an async
function where `time.sleep` is one import beyond doubt and no block stays open that others may wait
for; only a negative number, which `time.sleep` refuses, returns at once. So is the `a...` method
of `django.core.cache.cache` with a backend of Django's, and the await of an async twin of the
project's own whose body is the helper's with awaits. A twin that differs is offered with that
reason. A thread (`asyncio.to_thread`) and another client library are suggestions.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import mend_of_helper, report
from freeloop.source.code.causes import Cause, CauseKind
from freeloop.source.code.graph import Graph
from freeloop.source.code.sites import Site

WORDS = {
    "net": "waits for the network",
    "db": "waits for a database",
    "proc": "waits for another process",
    "sleep": "sleeps",
    "lock": "waits for another thread",
    "dns": "waits for a name lookup",
}


def find(graph: Graph) -> Iterator[Finding]:
    """Yield every call that waits on the loop, but for files and computing."""
    for site, cause in graph.loop_causes:
        if cause.kind is CauseKind.BLOCK and cause.waits in WORDS:
            # Methods that a library makes from descriptions are known as one: "BaseClient.*".
            name = cause.subject.replace("*", site.text.rpartition(".")[2])
            yield report(
                graph,
                RULE,
                site,
                f"{name} {WORDS[cause.waits]} and holds the event loop",
                subject=name,
                kind=cause.waits,
                mend=mend_of(graph, site, cause),
                certainty=Certainty.CERTAIN if site.func.is_async else Certainty.LIKELY,
            )


def mend_of(graph: Graph, site: Site, cause: Cause) -> str:
    """Return what to write instead."""
    if site.func.is_async:
        if cause.twin:
            return f"await {cause.twin}(...)"
        return f"await asyncio.to_thread({site.text}, ...), or an async client"
    return mend_of_helper(graph, site, "asyncio.to_thread({}, ...)")


RULE = Rule("FL101", "blocking-call", FindingClass.STALL, find)
