"""The middleware chain as the installed Django builds it: each layer, its mode, its hops.

A handler of its own is built, as Django builds one at start, and what `adapt_method_mode` is asked
for is written down. No request runs.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass, field
from types import FunctionType, SimpleNamespace
from typing import Any

from asgiref.sync import AsyncToSync, SyncToAsync
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.utils.deprecation import MiddlewareMixin
from django.utils.module_loading import import_string

from freeloop.relief.explanation import Charge, Mode
from freeloop.relief.middleware import building_stock_chain

# Of a function: more would be a chain that leads back to itself.
MOST_WRAPPERS = 20
HOOKS = (
    *("process_request", "process_view", "process_template_response"),
    *("process_exception", "process_response"),
)


@dataclass(slots=True)
class Layer:
    """One entry of settings.MIDDLEWARE in the chain.

    Attributes:
        path: As in settings.
        made_by: The class or factory.
        instance: What it made; None if it took itself out (MiddlewareNotUsed).
        mode: How Django runs it.
        inside: Path of the sync middleware below it whose thread it shares; "" without one.
        crossings: Hops that Django makes to reach it, and from its thread back to the loop.
        hops: Name of the function, by each hook that Django calls in a hop.
        view_hook: Its `process_view`, if that is called in a hop.
        own_call: It calls its hooks by code of its own, which was not read.
    """

    path: str
    made_by: Any
    instance: Any = None
    mode: Mode = Mode.UNUSED
    inside: str = ""
    crossings: Charge = field(default_factory=Charge)
    hops: dict[str, str] = field(default_factory=dict)
    view_hook: Any = None
    own_call: bool = False

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks that it has."""
        return tuple(hook for hook in HOOKS if hasattr(self.instance, hook))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One call of `adapt_method_mode`; `is_link` where it joins two layers of the chain."""

    is_async: bool
    method: Any
    adapted: Any
    is_link: bool


class _RecordingHandler(ASGIHandler):
    """A handler that keeps what it adapted; never given a request."""

    def __init__(self) -> None:
        self.asked: list[_Asked] = []
        with building_stock_chain():
            super().__init__()

    def adapt_method_mode(
        self,
        is_async: Any,
        method: Any,
        method_is_async: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        adapted = super().adapt_method_mode(is_async, method, method_is_async, *args, **kwargs)
        self.asked.append(_Asked(is_async, method, adapted, method_is_async is not None))
        return adapted


def layers() -> tuple[Layer, ...]:
    """Return the layers from the outermost to the innermost, the unused ones among them."""
    asked = _RecordingHandler().asked
    links = [index for index, each in enumerate(asked) if each.is_link]
    found: list[tuple[Layer, _Asked]] = []
    for path, here, after in zip(reversed(settings.MIDDLEWARE), links, links[1:], strict=False):
        layer = Layer(path, import_string(path))
        # One that is not used leaves the handler below for the next layer to adapt again.
        if asked[after].method is not asked[here].method:
            # `convert_exception_to_response` wraps it once.
            layer.instance = asked[after].method.__wrapped__
            layer.mode = Mode.ASYNC if asked[here].is_async else Mode.SYNC
            if layer.mode is Mode.ASYNC and is_hybrid(layer.instance):
                layer.mode = Mode.HYBRID
            layer.hops, layer.own_call = _hooks_in_hops(layer)
            layer.view_hook = _view_hook(asked[here + 1 : after])
            if layer.view_hook is not None:
                layer.hops["process_view"] = function_name(layer.view_hook)
        found.append((layer, asked[here]))
    used = [each for each in found if each[0].instance is not None]
    _share_crossings(used, [below for _, below in used[1:]] + [asked[links[-1]]])
    return tuple(layer for layer, _ in reversed(found))


def is_hybrid(instance: Any) -> bool:
    """Return whether Django's MiddlewareMixin calls its hooks, each in a hop."""
    return isinstance(instance, MiddlewareMixin) and not inspect.iscoroutinefunction(
        type(instance).__call__
    )


def function_name(function: Any) -> str:
    """Return "module.qualname" below decorators; a thing without a name is called by its type."""
    for _ in range(MOST_WRAPPERS):
        function = getattr(function, "__func__", function)
        if isinstance(function, functools.partial):
            function = function.func
        elif "__wrapped__" in getattr(function, "__dict__", {}):
            function = function.__wrapped__
        else:
            break
    named = function if isinstance(getattr(function, "__qualname__", None), str) else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _share_crossings(used: list[tuple[Layer, _Asked]], aboves: list[_Asked]) -> None:
    """Charge what a run of sync layers crosses to the one that makes them sync: the innermost."""
    cause: Layer | None = None
    for (layer, below), above in zip(used, aboves, strict=False):
        if layer.mode is not Mode.SYNC:
            cause = None
            continue
        cause = cause or layer
        if layer is not cause:
            layer.inside = cause.path
            if getattr(layer.made_by, "async_capable", False):
                layer.mode = Mode.INSIDE
        if isinstance(above.adapted, SyncToAsync):
            cause.crossings += Charge(to_thread=(function_name(above.method),))
        if isinstance(below.adapted, AsyncToSync):
            cause.crossings += Charge(to_loop=(function_name(below.method),))


def _view_hook(asked: list[_Asked]) -> Any:
    hopping = (each.method for each in asked if isinstance(each.adapted, SyncToAsync))
    return next((each for each in hopping if getattr(each, "__name__", "") == "process_view"), None)


def _hooks_in_hops(layer: Layer) -> tuple[dict[str, str], bool]:
    """Return the hops of `process_request` and `process_response`, and whether that is assumed."""
    middleware = layer.instance
    if layer.mode is Mode.ASYNC:
        middleware = _wrapped_in(layer)
    elif layer.mode is not Mode.HYBRID:
        return {}, False
    if not is_hybrid(middleware):
        return {}, True
    cls = type(middleware)
    own = [name for name in ("__call__", "__acall__") if not _is_stock(cls, name)]
    if "__acall__" in own and "__acall__" not in _names_in(cls.__acall__):
        return {}, True
    hopping = rehearsed(frozenset(hook for hook in HOOKS if hasattr(middleware, hook)))
    names = {hook: function_name(getattr(middleware, hook)) for hook in hopping}
    return names, bool(own) or middleware is not layer.instance


def _wrapped_in(layer: Layer) -> Any:
    """Return the middleware that a monitoring tool's wrapper keeps, None if this is no wrapper."""
    cls = layer.made_by
    if not isinstance(cls, type) or isinstance(layer.instance, cls):
        return None
    kept = getattr(layer.instance, "__dict__", {}).values()
    return next((each for each in kept if isinstance(each, cls)), None)


def _is_stock(cls: Any, name: str) -> bool:
    return getattr(cls, name) is getattr(MiddlewareMixin, name)


def _names_in(function: Any) -> tuple[str, ...]:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_names if code is not None else ()


def rehearsed(hooks: frozenset[str]) -> tuple[str, ...]:
    """Return which hooks `MiddlewareMixin.__acall__` of this Django calls in hops.

    Its own code runs, on a middleware whose hooks do nothing, with a `sync_to_async` that notes
    what it is given and stays where it is.
    """
    hopped: list[str] = []

    def sync_to_async(function: Any, *_args: Any, **_kwargs: Any) -> Any:
        hopped.append(function.__name__)

        async def stay(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return stay

    async def get_response(_request: Any) -> object:
        return object()

    def process_request(_request: Any) -> None:
        return None

    def process_response(_request: Any, response: Any) -> Any:
        return response

    middleware = SimpleNamespace(get_response=get_response)
    for hook in (process_request, process_response):
        if hook.__name__ in hooks:
            setattr(middleware, hook.__name__, hook)
    stock: Any = inspect.unwrap(MiddlewareMixin.__acall__)
    rehearsal = FunctionType(
        stock.__code__, {**stock.__globals__, "sync_to_async": sync_to_async}, stock.__name__
    )
    coroutine = rehearsal(middleware, object())
    try:
        coroutine.send(None)
    except StopIteration:
        return tuple(hopped)
    finally:
        coroutine.close()
    # It waits for something else: what that costs is not known, and `shapes` says so.
    return ()
