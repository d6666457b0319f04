"""Whether the installed Django, asgiref and Python have the shape that relief was written for.

Asked of their code, not of their version numbers: a part whose shape is unknown stays stock, and
says so. A Django that has left out these hops by itself has another shape too.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import CellType, CodeType, FunctionType
from typing import Any

import django
from asgiref import sync
from django.core.handlers import asgi, base
from django.dispatch import Signal
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from freeloop.relief import request_executor

_LIBRARIES = tuple(f"{Path(str(each.__file__)).parent}{os.sep}" for each in (django, sync))
_OURS = f"{Path(__file__).parent}{os.sep}"

THREAD = "request thread"
EXECUTOR = "request executor"
SIGNALS = "request signals"
CLOSING = "response closing"
MIDDLEWARE = "middleware"


def unknown_shapes() -> dict[str, str]:
    """Return the parts that must stay stock, each with what is different in the code installed."""
    found = {
        THREAD: _thread(),
        EXECUTOR: request_executor.difference(),
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
    work = {"_resource_closers", "clear", "closed", "request_finished", "send", "_handler_class"}
    return (
        _lacks(asgi, "sync_to_async")
        or _differs(asgi.ASGIHandler, "handle", {"sync_to_async", "close"})
        or _works_otherwise(HttpResponseBase, "close", work | {"Exception", "signals"})
        or _differs(asgi.ASGIRequest, "close", {"_stream"})
        or _receivers()
    )


def _middleware() -> str:
    chain = {"convert_exception_to_response", "adapt_method_mode", "process_view"}
    converts = {"iscoroutinefunction", "sync_to_async", "response_for_exception", "Exception"}
    hooks = {"sync_to_async", "process_request", "process_response", "get_response"}
    return (
        _replaced(base, "convert_exception_to_response", converts)
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
    function = _below_patches(getattr(owner, method, None))
    if function is None:
        return f"{owner.__name__}.{method} cannot be read"
    missing = names - _names(function.__code__)
    return f"{owner.__name__}.{method} does not use {', '.join(sorted(missing))}" if missing else ""


def _replaced(module: Any, name: str, names: set[str]) -> str:
    """Return who wrapped one of Django's functions, or what it no longer uses.

    Relief does the work of this one for several layers at once, so a wrapper would be left out.
    """
    function: Any = getattr(module, name, None)
    while isinstance(function, FunctionType) and function.__code__.co_filename.startswith(_OURS):
        function = getattr(function, "__wrapped__", None)
    if not isinstance(function, FunctionType) or function is not _below_patches(function):
        return f"{name} is replaced by {getattr(function, '__module__', type(function).__module__)}"
    missing = names - _names(function.__code__)
    return f"{name} does not use {', '.join(sorted(missing))}" if missing else ""


def _works_otherwise(owner: type, method: str, known: set[str]) -> str:
    """Return what is new or gone in a method that relief does the work of.

    One that somebody replaced is called as it is, so its names do not matter here.
    """
    function = _below_patches(getattr(owner, method, None))
    other = set(function.__code__.co_names) ^ known if function is not None else set()
    return f"{owner.__name__}.{method}: {', '.join(sorted(other))}" if other else ""


def _below_patches(function: Any, depth: int = 4) -> FunctionType | None:
    """Return the library's own function below what monitoring tools wrapped around it."""
    if not isinstance(function, FunctionType) or depth == 0:
        return None
    if function.__code__.co_filename.startswith(_LIBRARIES):
        return function
    inner = [getattr(function, "__wrapped__", None)]
    inner += [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    found = (_below_patches(each, depth - 1) for each in inner)
    return next((each for each in found if each is not None), None)


def _is_filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _names(code: CodeType) -> set[str]:
    inner = (_names(each) for each in code.co_consts if isinstance(each, CodeType))
    texts = {each for each in code.co_consts if isinstance(each, str)}
    return set(code.co_names) | set(code.co_freevars) | texts | set().union(*inner)
