"""Async handlers that a framework calls and does not await, so that nothing in them runs."""

from __future__ import annotations

from freeloop.source.code.index import Class, Func
from freeloop.source.code.resolve import Resolver

HANDLERS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
DRF_HANDLERS = (*HANDLERS, "list", "create", "retrieve", "update", "partial_update", "destroy")
API_VIEWS = ("APIView", "GenericAPIView", "ViewSet", "GenericViewSet", "ModelViewSet",
             "ReadOnlyModelViewSet", "ListAPIView", "CreateAPIView", "RetrieveAPIView",
             "DestroyAPIView", "UpdateAPIView", "ListCreateAPIView")  # fmt: skip


def refusal(resolver: Resolver, func: Func) -> str:
    """Return why nobody awaits an async handler; "" where nothing speaks against it."""
    if func.cls is not None and func.outer is None:
        return _of_method(resolver, func, func.cls)
    if func.decorators and _is_api_view(resolver, func):
        return "api_view does not await it: the answer is a coroutine"
    return ""


def _is_api_view(resolver: Resolver, func: Func) -> bool:
    names = (name for name, _, _ in resolver.decorator_names(func))
    return any(name == "rest_framework.decorators.api_view" for name in names)


def _of_method(resolver: Resolver, func: Func, cls: Class) -> str:
    bases = [base for base in resolver.mro(cls) if isinstance(base, str)]
    if _wraps(resolver, cls):
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


def _wraps(resolver: Resolver, cls: Class) -> bool:
    """Tell whether the project dispatches in its own way."""
    return any(
        isinstance(each, Class) and {"dispatch", "as_view"} & each.methods.keys()
        for each in resolver.mro(cls)
    )


def _is_drf(base: str) -> bool:
    return base.startswith("rest_framework.") and base.rpartition(".")[2] in API_VIEWS


def _is_sync(cls: Class, name: str) -> bool:
    return name in cls.methods and name != "options" and not cls.methods[name].is_async
