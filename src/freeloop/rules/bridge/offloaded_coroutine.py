"""FL202 offloaded-coroutine: `sync_to_async` or a thread is given what it cannot run.

**What it finds.** `sync_to_async(f)`, `asyncio.to_thread(f)` or `run_in_executor(None, f)` where
`f` is an async function, or where a call stands in place of a function:
`sync_to_async(load(pk))`.

**Why it matters.** An async function that is called in a thread only gives a coroutine, which
nobody awaits: asgiref raises TypeError, the others drop the work. `sync_to_async(load(pk))` has
run `load` on the loop before the thread gets anything. In the test of this rule 3 of 3 requests
fail (measured).

**Bad.**

    order = await sync_to_async(load_order(pk))

**Good.**

    order = await sync_to_async(load_order)(pk)

**When to ignore it.** When the call really gives a function.

**Is the fix safe?** No edit is written: the call has run on the loop by then, and its effects may
be wanted there.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.kinds import (
    Coroutine,
    Ext,
    ExtMethod,
    FuncRef,
    Inst,
    Kind,
    Many,
    Nothing,
    QuerySet,
    Text,
)
from freeloop.source.code.resolve import OFFLOADERS
from freeloop.source.code.results import IN_THREAD
from freeloop.source.code.sites import Site, What

HAND_OVERS = OFFLOADERS | IN_THREAD


def find(graph: Graph) -> Iterator[Finding]:
    """Yield every hand-over to a thread that cannot work."""
    for func in graph.async_functions():
        for site in graph.sites(func):
            given = _given(site)
            if given is None:
                continue
            problem = _problem(graph, given)
            if problem:
                yield report(
                    graph,
                    RULE,
                    site,
                    f"{site.text} is given {problem}",
                    subject=site.text,
                    mend=f"{site.text}(function)(arguments), or await it when it is async",
                    certainty=Certainty.CERTAIN,
                )


def _given(site: Site) -> Kind | None:
    """Return what a thread is to run; None for any other site."""
    if site.what is not What.CALL or not site.arguments:
        return None
    target = site.target
    if isinstance(target, Ext) and target.name in HAND_OVERS:
        return site.arguments[0]
    if isinstance(target, ExtMethod) and target.name == "run_in_executor":
        return site.arguments[1] if len(site.arguments) > 1 else None
    return None


def _problem(graph: Graph, given: Kind) -> str:
    match given:
        case FuncRef() if given.func.is_async and not given.func.yields:
            return f"the async function {given.func.last_name}, which a thread cannot run"
        case Coroutine():
            return "a coroutine, where it wants a function"
        case Text() | Many() | QuerySet() | Nothing():
            return "the result of a call, which has already run on the loop"
        case Inst() if graph.program.resolver.method(given.cls, "__call__") is None:
            if not graph.program.resolver.library_bases(given.cls):
                return "the result of a call, which has already run on the loop"
            if graph.program.resolver.is_model(given.cls):
                return "the result of a call, which has already run on the loop"
    return ""


RULE = Rule("FL202", "offloaded-coroutine", FindingClass.CRASH, find)
