"""FL201 async-to-sync-on-loop: `async_to_sync` is called by code that runs on an event loop.

**What it finds.** A call of what `async_to_sync` gave, or of `asyncio.run`, in an async function
or in a sync one that an async one calls.

**Why it matters.** It raises: "You cannot use AsyncToSync in the same thread as an async event
loop" (or "asyncio.run() cannot be called from a running event loop"). The usual form is a sync
helper or a signal receiver that once was only called from sync code. In the test of this rule 3 of
3 requests fail (measured).

**Bad.**

    async def ring(request):
        async_to_sync(layer.group_send)("bell", {...})

**Good.**

    async def ring(request):
        await layer.group_send("bell", {...})

**When to ignore it.** Never on the loop; a helper that is only called in threads is not reported.

**Is the fix safe?** `await f(...)` for `async_to_sync(f)(...)` and `asyncio.run(f(...))` is, in an
async function, when `f` is an async function beyond doubt: the call always raised.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import Enter, Ext, ExtMethod
from freeloop.source.code.sites import Site

RUNNERS = frozenset({"asyncio.run", "asyncio.runners.run"})


def find(graph: Graph) -> Iterator[Finding]:
    """Yield every call on the loop that wants a loop of its own."""
    for site in graph.loop_calls:
        target = site.target
        runs = isinstance(target, Ext) and target.name in RUNNERS
        if not isinstance(target, Enter) and not runs and not _runs_until(site):
            continue
        called = site.text.removesuffix("()")
        yield report(
            graph,
            RULE,
            site,
            f"{called} is called on the event loop, where it raises RuntimeError",
            subject="asyncio.run" if runs else "asgiref.sync.async_to_sync",
            mend="await the async function itself"
            if site.func.is_async
            else f"an async version of {site.func.last_name} that awaits it",
            certainty=Certainty.CERTAIN if site.func.is_async else Certainty.LIKELY,
        )


def _runs_until(site: Site) -> bool:
    target = site.target
    return isinstance(target, ExtMethod) and target.name == "run_until_complete"


RULE = Rule("FL201", "async-to-sync-on-loop", FindingClass.CRASH, find)
