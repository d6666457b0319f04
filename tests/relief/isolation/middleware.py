"""Middleware of each kind: it looks, leaves its mark, and looks again when the answer passes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from asgiref.local import Local
from django.utils.decorators import async_only_middleware, sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin

from tests.relief.isolation.marks import ANYWHERE, CHOSEN, IN_THREAD, Mark, mark_of, notebook, write
from tests.relief.isolation.views import Planned

PAUSE_S = 0.02

_thread = threading.local()
_variables = {kind: ContextVar[str](kind) for kind in ("sync", "async", "hybrid")}
_local = Local()


class Sync:
    """Sync only: Django runs it, and holds it, in the request's thread."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        """Look before and after."""
        mark = mark_of(request)
        notebook.arrive(mark, "sync middleware")
        notebook.look(mark, "sync middleware", (*ANYWHERE, *CHOSEN), written=False)
        notebook.look(mark, "sync middleware", IN_THREAD, written=False)
        write(mark, IN_THREAD)
        _thread.sync = mark.text
        _leave(request, mark, "sync")
        _pause("before the view", request, mark)
        try:
            response = self.get_response(request)
            _pause("after the view", request, mark)
        finally:
            notebook.arrive(mark, "sync middleware, answer")
            notebook.look(mark, "sync middleware, answer", IN_THREAD, written=True)
            notebook.look_at(mark, "sync middleware", getattr(_thread, "sync", None))
            _find(request, mark, "sync")
        return response


@async_only_middleware
def asynchronous(get_response: Callable[[Any], Any]) -> Any:
    """Async only, and the one that chooses the urlconf."""

    async def middleware(request: Any) -> Any:
        mark = mark_of(request)
        notebook.look(mark, "async middleware", (*ANYWHERE, *CHOSEN), written=False)
        request.urlconf = mark.urlconf
        _leave(request, mark, "async")
        try:
            return await get_response(request)
        finally:
            _find(request, mark, "async")

    return middleware


@sync_and_async_middleware
def hybrid(get_response: Callable[[Any], Any]) -> Any:
    """Async here; Django only asks for its async half in an async chain."""
    from inspect import iscoroutinefunction

    if not iscoroutinefunction(get_response):
        return lambda request: get_response(request)

    async def middleware(request: Any) -> Any:
        mark = mark_of(request)
        _leave(request, mark, "hybrid")
        try:
            return await get_response(request)
        finally:
            _find(request, mark, "hybrid")

    return middleware


class Hooks(MiddlewareMixin):
    """Every hook that there is, in the old form; Django runs each in the request's thread."""

    def process_request(self, request: Any) -> None:
        """Look, and leave the mark in the thread."""
        mark = mark_of(request)
        _pause("process_request", request, mark)
        notebook.arrive(mark, "process_request")
        notebook.look(mark, "process_request", (*ANYWHERE, *CHOSEN, *IN_THREAD), written=False)
        write(mark, IN_THREAD)
        _thread.hooks = mark.text
        self._raise("request", request)

    def process_view(self, request: Any, _view: Any, _args: Any, _kwargs: Any) -> None:
        """Look again."""
        self._again("process_view", request)
        self._raise("view", request)

    def process_exception(self, request: Any, _exception: Exception) -> None:
        """Look again; the error goes on."""
        self._again("process_exception", request)

    def process_response(self, request: Any, response: Any) -> Any:
        """Look for the last time."""
        self._again("process_response", request)
        self._raise("response", request)
        return response

    def _again(self, where: str, request: Any) -> None:
        mark = mark_of(request)
        _pause(where, request, mark)
        notebook.arrive(mark, where)
        notebook.look(mark, where, (*ANYWHERE, *CHOSEN), written=False)
        notebook.look(mark, where, IN_THREAD, written=True)
        notebook.look_at(mark, where, getattr(_thread, "hooks", None))

    def _raise(self, hook: str, request: Any) -> None:
        if request.headers.get("X-Raise") == hook:
            raise Planned


def _pause(where: str, request: Any, mark: Mark) -> None:
    if request.headers.get("X-Pause") == where:
        notebook.pause(mark, PAUSE_S)


def _leave(request: Any, mark: Mark, kind: str) -> None:
    _variables[kind].set(mark.text)
    setattr(_local, kind, mark.text)
    setattr(request, f"mark_of_{kind}", mark.text)


def _find(request: Any, mark: Mark, kind: str) -> None:
    seen = {
        "contextvar": _variables[kind].get(None),
        "Local": getattr(_local, kind, None),
        "request": getattr(request, f"mark_of_{kind}", None),
    }
    for place, value in seen.items():
        if value != mark.text:
            notebook.complain(mark, f"{kind} middleware", f"reads {value} in {place}")


PATHS = {
    "sync": "tests.relief.isolation.middleware.Sync",
    "async": "tests.relief.isolation.middleware.asynchronous",
    "hybrid": "tests.relief.isolation.middleware.hybrid",
    "hooks": "tests.relief.isolation.middleware.Hooks",
}
