"""FL405 sync-decorator: a decorator makes a sync function of an async view.

**What it finds.** An async view under a decorator of the project whose wrapper is a plain `def`
that calls the view and does not await what it gives, with no decorator outside that could.

**Why it matters.** Django asks the outermost function whether it is async, takes the view for a
sync one, and gets a coroutine: "It returned an unawaited coroutine instead", status 500. All of
the requests fail, 3 of 3 in the test of this rule, under ASGI and under WSGI.

**Bad.**

    def counted(view):
        @wraps(view)
        def wrapper(request):
            return view(request)
        return wrapper

    @counted
    async def menu(request): ...

**Good.**

    def counted(view):
        if iscoroutinefunction(view):
            @wraps(view)
            async def wrapper(request):
                return await view(request)
        else: ...
        return wrapper

**When to ignore it.** When something awaits the view that reading does not see, such as a
framework that calls it.

**Is the fix safe?** No: what the wrapper itself does then runs on the event loop.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.sites import Site, What


def find(graph: Graph) -> Iterator[Finding]:
    """Yield async views that Django takes for sync ones."""
    for entry in graph.entries:
        func = entry.func
        if entry.what != "async view" or not func.is_async:
            continue
        wrapper = graph.sync_wrapper(func)
        if wrapper is None or wrapper.outer is None:
            continue
        decorator = wrapper.name.partition(".")[0]
        yield report(
            graph,
            RULE,
            Site(What.CALL, func, func.line, 0, func.last_name, None),
            f"{decorator} puts a sync function around {func.last_name}:"
            " Django gets a coroutine in place of a response",
            subject=wrapper.qualified,
            mend=f"an async wrapper in {decorator} for async views (iscoroutinefunction)",
            certainty=Certainty.CERTAIN,
            also=[Site(What.CALL, wrapper, wrapper.line, 0, wrapper.last_name, None)],
        )


RULE = Rule("FL405", "sync-decorator", FindingClass.CRASH, find)
