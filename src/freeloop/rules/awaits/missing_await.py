"""FL501 missing-await: a coroutine is made and dropped.

**What it finds.** A statement that calls an async function (of the project, an `a...` method of
Django's ORM, `asyncio.sleep`) without `await`.

**Why it matters.** Nothing happens: `await item.asave()` without its `await` saves nothing, and
all that tells is a RuntimeWarning when the garbage is collected. In the test of this rule ten such
lines save no row, and ten awaited ones save ten (measured).

**Bad.**

    async def rename(item):
        item.asave()

**Good.**

    async def rename(item):
        await item.asave()

**When to ignore it.** Never; a task is started with `create_task`.

**Is the fix safe?** In an async function, when what is called is an async function beyond doubt
(without a decorator, not overridden), an async method of Django's on a certain receiver, a
coroutine function of asyncio, or what `sync_to_async` gave: yes, `await` is put in front. What
then runs is what was meant to run.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report, short
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import Coroutine, Ext, ExtMethod, FuncRef, Kind, Offload
from freeloop.source.code.sites import Use


def find(graph: Graph) -> Iterator[Finding]:
    """Yield every coroutine that is made by a statement of its own and never awaited."""
    for site in graph.loop_calls:
        if site.use is not Use.STATEMENT:
            continue
        result = site.result
        if isinstance(result, Coroutine) and not result.task:
            name = called(result.of) or site.text
            yield report(
                graph,
                RULE,
                site,
                f"{name} is called and never awaited: it does not run",
                subject=name,
                mend=f"await {site.text}(...)"
                if site.func.is_async
                else f"async_to_sync({site.text})(...), or an async {site.func.last_name}",
                certainty=Certainty.CERTAIN,
            )


def called(kind: Kind | None) -> str:
    """Return the name of what gave a coroutine."""
    match kind:
        case FuncRef():
            return kind.func.name.replace(".<locals>", "")
        case Ext():
            return short(kind.name)
        case ExtMethod():
            return kind.name
        case Offload():
            inner = called(kind.inner)
            return f"sync_to_async({inner})" if inner else ""
        case _:
            pass
    return ""


RULE = Rule("FL501", "missing-await", FindingClass.CRASH, find)
