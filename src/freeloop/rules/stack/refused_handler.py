"""FL404 refused-handler: an async handler where the framework does not await it.

**What it finds.** An async method or function under Django REST framework's `APIView` or
`api_view`, and a class-based view of Django with both sync and async handlers.

**Why it matters.** Django REST framework calls the handler and gets a coroutine: "Expected a
`Response` ... but received a `<class 'coroutine'>`", status 500. A mixed class raises
ImproperlyConfigured: "HTTP handlers must either be all sync or all async".

**Bad.**

    class Menu(APIView):
        async def get(self, request): ...

**Good.** A sync handler, or a framework that awaits: plain Django views, Django Ninja, adrf.

**When to ignore it.** When a base class of yours awaits the handler.

**Is the fix safe?** No: what the handler awaits has to become sync.
"""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.model.finding import Certainty, Finding, FindingClass
from freeloop.rules.registry import Rule
from freeloop.rules.reporting import report
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Class, Func
from freeloop.source.code.sites import Site, What

HANDLERS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
DRF_HANDLERS = (*HANDLERS, "list", "create", "retrieve", "update", "partial_update", "destroy")
API_VIEWS = ("APIView", "GenericAPIView", "ViewSet", "GenericViewSet", "ModelViewSet",
             "ReadOnlyModelViewSet", "ListAPIView", "CreateAPIView", "RetrieveAPIView",
             "DestroyAPIView", "UpdateAPIView", "ListCreateAPIView")  # fmt: skip


def find(graph: Graph) -> Iterator[Finding]:
    """Yield async handlers that nobody awaits, and classes of both kinds."""
    for func in graph.async_functions():
        problem = ""
        if func.cls is not None and func.outer is None:
            problem = _of_method(graph, func, func.cls)
        elif _is_api_view(graph, func):
            problem = "api_view does not await it: the answer is a coroutine"
        if problem:
            yield report(
                graph,
                RULE,
                Site(What.CALL, func, func.line, 0, func.last_name, None),
                f"{func.name} is async, and {problem}",
                subject=func.qualified,
                mend="a sync handler, or a framework that awaits (Django's views, ninja, adrf)",
                certainty=Certainty.CERTAIN,
            )


def _is_api_view(graph: Graph, func: Func) -> bool:
    names = (name for name, _, _ in graph.program.resolver.decorator_names(func))
    return any(name == "rest_framework.decorators.api_view" for name in names)


def _of_method(graph: Graph, func: Func, cls: Class) -> str:
    bases = [base for base in graph.bases(cls) if isinstance(base, str)]
    if _wraps(graph, cls):
        return ""
    name = func.last_name
    if any(base.startswith("adrf.") for base in bases):
        return ""
    if name in DRF_HANDLERS and any(_is_drf(base) for base in bases):
        return "Django REST framework does not await it: the answer is a coroutine"
    if name in HANDLERS and any(base.startswith("django.views.") for base in bases):
        other = next((cls.methods[each] for each in HANDLERS if _is_sync(cls, each)), None)
        if other is not None:
            return f"{other.last_name} of the same class is not: ImproperlyConfigured"
    return ""


def _wraps(graph: Graph, cls: Class) -> bool:
    """Tell whether the project dispatches in its own way."""
    return any(
        isinstance(each, Class) and {"dispatch", "as_view"} & each.methods.keys()
        for each in graph.bases(cls)
    )


def _is_drf(base: str) -> bool:
    return base.startswith("rest_framework.") and base.rpartition(".")[2] in API_VIEWS


def _is_sync(cls: Class, name: str) -> bool:
    return name in cls.methods and name != "options" and not cls.methods[name].is_async


RULE = Rule("FL404", "refused-handler", FindingClass.CRASH, find)
