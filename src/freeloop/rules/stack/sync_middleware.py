"""FL406 sync-middleware: a sync-only middleware stands around async views.

**What it finds.** A middleware of the project in `MIDDLEWARE` that is a class with a plain
`__call__`, or a function that gives a plain function, in a project with an ASGI application and
async views.

**Why it matters.** Django runs it in a thread, and the thread stays inside it until the view has
answered. Stock Django keeps a thread for each request anyhow; under this layer `freeloop.relief`
cannot leave it out either. It also brings a hop into the thread and one back, and its place
decides how many the others make: with Django's seven and Django 6.1 an async request makes 15
hops, 16 and one back with such a layer outermost, 4 and one back with it innermost. `freeloop
check --stack` counts them for the installed Django, and names the order that costs least.

**Bad.**

    class StampMiddleware:
        def __call__(self, request):
            response = self.get_response(request)
            response["X-Stamp"] = "1"
            return response

**Good.**

    @sync_and_async_middleware
    def stamp(get_response):
        if iscoroutinefunction(get_response):
            async def middleware(request):
                response = await get_response(request)
                response["X-Stamp"] = "1"
                return response
        else: ...
        return middleware

**When to ignore it.** When few requests wait at a time, or none of the async views waits.

**Is the fix safe?** For a middleware that only passes on, or sets headers; what reads
`request.user` or the session has to be awaited.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report_setting
from freeloop.source.code.graph import Graph


def find(graph: Graph) -> Iterator[Finding]:
    """Yield the project's own sync-only layers."""
    waiting = [entry for entry in graph.entries if entry.what == "async view" and entry.func.awaits]
    if not graph.settings.asgi or not waiting:
        return
    layers = len(graph.settings.middleware)
    for layer in graph.middleware:
        if layer.sync_only:
            yield report_setting(
                graph,
                RULE,
                layer.code.module.file.path,
                layer.code.line,
                f"{layer.code.last_name} is sync only, layer {layer.place} of {layers}: a thread is"
                f" held for as long as any of {len(waiting)} async views waits",
                subject=layer.code.qualified,
                mend="a middleware that is sync and async; check --stack tells the cheapest place",
            )


RULE = Rule("FL406", "sync-middleware", FindingClass.WASTE, find)
