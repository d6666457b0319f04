"""Whether the installed Django and asgiref have the shape that relief was written for.

Asked of their code, not of their version numbers: a part whose shape is unknown stays stock, and
says so. A Django that has left out these hops by itself has another shape too.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

from asgiref import sync
from django.core.handlers import asgi, base
from django.dispatch import Signal
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

THREAD = "request thread"
SIGNALS = "request signals"
CLOSING = "response closing"
MIDDLEWARE = "middleware"


def unknown_shapes() -> dict[str, str]:
    """Return the parts that must stay stock, each with what is different in the code installed."""
    found = {
        THREAD: _thread(),
        SIGNALS: _signals(),
        CLOSING: _closing(),
        MIDDLEWARE: _middleware(),
    }
    if found[THREAD]:
        # Nobody would know whether a request has a thread.
        found = {part: difference or found[THREAD] for part, difference in found.items()}
    return {part: difference for part, difference in found.items() if difference}


def _thread() -> str:
    return (
        _lacks(asgi, "ThreadSensitiveContext")
        or _differs(asgi.ASGIHandler, "__call__", {"ThreadSensitiveContext", "handle"})
        or _lacks(sync, "SyncToAsync", "AsyncToSync", "ThreadSensitiveContext")
        or _lacks(sync.SyncToAsync, "thread_sensitive_context", "context_to_thread_executor")
        or _lacks(sync.AsyncToSync, "executors")
        or _differs(sync.SyncToAsync, "__call__", {"context_to_thread_executor", "executors"})
        or _differs(sync.ThreadSensitiveContext, "__aenter__", {"thread_sensitive_context"})
        or _differs(sync.ThreadSensitiveContext, "__aexit__", {"context_to_thread_executor"})
    )


def _signals() -> str:
    names = {"signals", "request_started", "request_finished", "asend"}
    return _lacks(asgi, "signals") or _differs(asgi.ASGIHandler, "handle", names) or _receivers()


def _receivers() -> str:
    return _lacks(Signal, "_live_receivers") or _differs(Signal, "asend", {"_live_receivers"})


def _closing() -> str:
    closed = {"_resource_closers", "request_finished", "_handler_class"}
    return (
        _lacks(asgi, "sync_to_async")
        or _differs(asgi.ASGIHandler, "handle", {"sync_to_async", "close"})
        or _differs(HttpResponseBase, "close", closed)
        or _differs(asgi.ASGIRequest, "close", {"_stream"})
        or _receivers()
    )


def _middleware() -> str:
    chain = {"convert_exception_to_response", "adapt_method_mode", "process_view"}
    hooks = {"sync_to_async", "process_request", "process_response", "get_response"}
    return (
        _lacks(base, "convert_exception_to_response")
        or _differs(base.BaseHandler, "load_middleware", chain)
        or _differs(base.BaseHandler, "adapt_method_mode", {"sync_to_async"})
        or _differs(MiddlewareMixin, "__acall__", hooks)
        or _differs(MiddlewareMixin, "__init__", {"async_mode"})
    )


def _lacks(owner: Any, *names: str) -> str:
    missing = [name for name in names if not hasattr(owner, name)]
    return f"{owner.__name__} has no {', '.join(missing)}" if missing else ""


def _differs(owner: type, method: str, names: set[str]) -> str:
    """Return what the method no longer names, which is how it used to do its work."""
    function: Any = getattr(owner, method, None)
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    if code is None:
        return f"{owner.__name__}.{method} cannot be read"
    missing = names - _names(code)
    return f"{owner.__name__}.{method} does not use {', '.join(sorted(missing))}" if missing else ""


def _names(code: CodeType) -> set[str]:
    inner = (_names(each) for each in code.co_consts if isinstance(each, CodeType))
    texts = {each for each in code.co_consts if isinstance(each, str)}
    return set(code.co_names) | set(code.co_freevars) | texts | set().union(*inner)
