"""Django's own middleware in an async chain: each hook inline if its guard agrees, else in a hop.

Chosen while `load_middleware` builds the chain, object by object: only where `type()` is exactly
Django's class, is in async mode, and runs Django's own methods. Subclasses, wrapped and third-party
middleware are left as they are.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from functools import update_wrapper
from typing import TYPE_CHECKING, Any

from django.core.handlers.asgi import ASGIHandler

from freeloop.relief import switch
from freeloop.relief.guards import Guards, guards_for
from freeloop.relief.plain import own_class, own_request_class
from freeloop.relief.request_thread import relieved
from freeloop.relief.run import run_from
from freeloop.relief.verify import verified_handle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What a run does in their place: a tool that has wrapped one of them wants to be called.
HOOKS = ("process_request", "process_view", "process_response")

_building: ContextVar[bool] = ContextVar("freeloop_building", default=False)
_as_stock: ContextVar[bool] = ContextVar("freeloop_building_as_stock", default=False)


@contextlib.contextmanager
def building_async_chain() -> Iterator[None]:
    """Relieve the middleware that `load_middleware` makes inside of this block."""
    token = _building.set(True)
    try:
        yield
    finally:
        _building.reset(token)


@contextlib.contextmanager
def building_stock_chain() -> Iterator[None]:
    """Leave alone the chains that are built inside of this block, to look at what Django does."""
    token = _as_stock.set(True)
    try:
        yield
    finally:
        _as_stock.reset(token)


def relieved_load_middleware(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return `BaseHandler.load_middleware`; a chain for sync requests is built by stock alone."""

    def load_middleware(self: Any, is_async: bool = False) -> Any:  # noqa: FBT001, FBT002
        if not is_async or _as_stock.get():
            return stock(self, is_async)
        with building_async_chain():
            built = stock(self, is_async)
        verified = "handle" in vars(self)
        if switch.switch().verify and isinstance(self, ASGIHandler) and not verified:
            # On this object alone: the class keeps Django's own.
            self.handle = verified_handle(self.handle)  # type: ignore[method-assign]
        return built

    return update_wrapper(load_middleware, stock)


def relieved_convert(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return `convert_exception_to_response`, which is given every link of the chain."""

    def convert_exception_to_response(get_response: Any) -> Any:
        if _building.get() and (guards := usable_guards(get_response)) is not None:
            handler = run_from(get_response, guards)
            # The middleware outside of it is given this, and may show or unwrap it.
            update_wrapper(handler, stock(get_response)).__wrapped__ = get_response
            return handler
        return stock(get_response)

    return update_wrapper(convert_exception_to_response, stock)


def relieved_adapt(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return `BaseHandler.adapt_method_mode`, which is given every `process_view`."""

    def adapt_method_mode(
        self: Any,
        is_async: bool,  # noqa: FBT001
        method: Any,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        adapted = stock(self, is_async, method, *args, **kwargs)
        if not is_async or not _building.get() or adapted is method:
            return adapted
        guard = guard_of_view_hook(method)
        return adapted if guard is None else _relieved_view(method.__self__, guard, adapted)

    return update_wrapper(adapt_method_mode, stock)


def guard_of_view_hook(method: Any) -> Callable[..., bool] | None:
    """Return the guard of a `process_view`, or None where the method must stay stock.

    Only Django's own method, bound: what a monitoring tool puts in its place may name the same
    middleware as its `__self__`, and does work of its own.
    """
    middleware = getattr(method, "__self__", None)
    guards = usable_guards(middleware)
    if guards is None or guards.view is None:
        return None
    stock = getattr(type(middleware), "process_view", None)
    return guards.view if getattr(method, "__func__", None) is stock else None


def usable_guards(middleware: Any) -> Guards | None:
    """Return the guards of this object, or None where it must stay stock."""
    if getattr(middleware, "async_mode", False) is not True:
        return None
    guards = guards_for(middleware)
    if guards is None or not vars(middleware).keys().isdisjoint(HOOKS):
        return None
    return guards if own_class(type(middleware)) and own_request_class() else None


def _relieved_view(middleware: Any, guard: Any, adapted: Callable[..., Any]) -> Callable[..., Any]:
    stock_view = type(middleware).process_view

    async def process_view(request: Any, callback: Any, args: Any, kwargs: Any) -> Any:
        method = middleware.process_view
        unchanged = getattr(method, "__func__", None) is stock_view
        if unchanged and relieved() and guard(request, callback):
            return method(request, callback, args, kwargs)
        return await adapted(request, callback, args, kwargs)

    return update_wrapper(process_view, middleware.process_view)
