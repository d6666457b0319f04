"""FL205 context-token: a token of a context variable is reset in another hop than it was made in.

**What it finds.** A middleware in `MIDDLEWARE` whose `process_request` (or `process_view`) sets a
`ContextVar` and keeps the token, and whose `process_response` resets it, in a project with async
views.

**Why it matters.** Under ASGI Django runs each of the two in a thread hop of its own, and each
hop has a copy of the context: "Token ... was created in a different Context", status 500. In the
test of this rule 3 of 3 requests fail under ASGI and none under WSGI.

**Bad.**

    class TenantMiddleware(MiddlewareMixin):
        def process_request(self, request):
            request.token = tenant.set(request.headers["tenant"])

        def process_response(self, request, response):
            tenant.reset(request.token)
            return response

**Good.**

    @sync_and_async_middleware
    def tenant_middleware(get_response):
        async def middleware(request):
            token = tenant.set(request.headers["tenant"])
            try:
                return await get_response(request)
            finally:
                tenant.reset(token)

**When to ignore it.** When these settings only ever serve WSGI.

**Is the fix safe?** `tenant.set(None)` in place of the reset is, where nobody sets it outside.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report_setting
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Class, Func
from freeloop.source.code.kinds import ExtInst, ExtMethod
from freeloop.source.code.sites import Site, What

MIXIN = "django.utils.deprecation.MiddlewareMixin"
VARIABLES = frozenset({"contextvars.ContextVar", "_contextvars.ContextVar"})
BEFORE = ("process_request", "process_view")
AFTER = ("process_response", "process_exception", "process_template_response")


def find(graph: Graph) -> Iterator[Finding]:
    """Yield resets of what another hop has set."""
    if not any(entry.what == "async view" for entry in graph.entries):
        return
    for layer in graph.middleware:
        cls = layer.code
        if not isinstance(cls, Class) or MIXIN not in graph.bases(cls):
            continue
        made = {
            site.text.rpartition(".")[0]: site
            for func in _methods(cls, BEFORE)
            for site in _calls(graph, func, "set")
            if "." in site.assigned
        }
        for func in _methods(cls, AFTER):
            for site in _calls(graph, func, "reset"):
                variable = site.text.rpartition(".")[0]
                if variable in made:
                    yield report_setting(
                        graph,
                        RULE,
                        func.module.file.path,
                        site.line,
                        f"{variable} was set in line {made[variable].line}, in another hop under"
                        " ASGI: the token was created in a different Context",
                        subject=f"{cls.qualified}.{variable}",
                        mend="set and reset it in one async function around get_response",
                        certainty=Certainty.LIKELY,
                    )


def _methods(cls: Class, names: tuple[str, ...]) -> Iterator[Func]:
    return (cls.methods[name] for name in names if name in cls.methods)


def _calls(graph: Graph, func: Func, name: str) -> Iterator[Site]:
    for site in graph.sites(func):
        target = site.target
        if site.what is What.CALL and isinstance(target, ExtMethod) and target.name == name:
            owner = target.owner
            if isinstance(owner, ExtInst) and owner.name in VARIABLES:
                yield site


RULE = Rule("FL205", "context-token", FindingClass.CRASH, find)
