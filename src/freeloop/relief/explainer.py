"""What relief leaves out for the stack of this project, and what not, and why.

Computed from the installed code and the live settings: the chain is built as Django builds it, the
guards are asked about a usual request. No request runs and no database is opened.
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import asgiref
import django
from asgiref.sync import ThreadSensitiveContext
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core import signals
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.db import connections
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from freeloop.relief import handler, reasons, shapes, switch
from freeloop.relief.explanation import Charge, Cost, Explanation, Kind, Mode, Piece
from freeloop.relief.middleware import guard_of_view_hook, usable_guards
from freeloop.relief.plain import own_function
from freeloop.relief.stack import Layer, function_name, layers

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.dispatch import Signal

    from freeloop.relief.guards import Guards

__all__ = ["Explanation", "explain"]

STARTED = "request_started"
VIEW = "the view"
CLOSING = "closing the response"
THREAD = "the request's thread"

_SYNC_SEND = "Signal.asend.<locals>.sync_send"
_ASYNC_SEND = "Signal.send.<locals>.asend"


def explain() -> Explanation:
    """Return hops and threads of one usual request of the configured project, stock and relieved.

    Usual: a successful GET without session or message writes, after the first of its kind. The
    middleware is built anew, as it is whenever a server starts.

    Raises:
        ImproperlyConfigured: If the settings are not there; and what the project's middleware
            raises when it is built.
    """
    # What building makes in context variables (caches, a language) is not the caller's.
    return contextvars.copy_context().run(_explain)


def _explain() -> Explanation:
    off = _off()
    unknown = shapes.unknown_shapes()
    ours = frozenset() if off else _PARTS - unknown.keys()
    asked = _UsualRequest()
    pieces = [_started(ours, unknown)]
    pieces += [_layer(layer, ours, asked) for layer in layers()]
    pieces.append(_view())
    pieces.append(_closing(pieces, ours, unknown))
    pieces.append(_thread(pieces, ours, unknown))
    return Explanation(
        settings=str(getattr(settings, "SETTINGS_MODULE", "")),
        django=django.get_version(),
        asgiref=asgiref.__version__,
        off=off,
        unknown=tuple(f"{part}: {difference}" for part, difference in unknown.items()),
        share=switch.switch().sample,
        pieces=tuple(pieces),
    )


_PARTS = frozenset({shapes.THREAD, shapes.SIGNALS, shapes.CLOSING, shapes.MIDDLEWARE})


def _off() -> str:
    if switch.killed():
        return f"{switch.VARIABLE} in the environment switches relief off"
    if switch.switch().enabled is False:
        return 'FREELOOP["RELIEF"]["ENABLED"] is False'
    return ""


class _UsualRequest:
    """A request and its answer as the guards of a usual request would see them; sent to nobody."""

    def __init__(self) -> None:
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        self.request: Any = ASGIRequest(scope, BytesIO())
        self.response = HttpResponse()

    def hops_left(self, layer: Layer, guards: Guards) -> dict[str, str]:
        """Return the hooks of a guarded middleware that hop in spite of relief."""
        asks: Mapping[str, Callable[[], bool]] = {
            "process_request": lambda: self._before(layer.instance, guards),
            "process_view": lambda: self.views_inline(layer.view_hook),
            "process_response": lambda: (
                guards.response is not None and guards.response(self.request, self.response)
            ),
        }
        said = {hook: ask() for hook, ask in asks.items() if hook in layer.hooks}
        return {hook: name for hook, name in layer.hops.items() if not said.get(hook)}

    def views_inline(self, view_hook: Any) -> bool:
        """Return whether a `process_view` runs inline for a safe method."""
        guard = guard_of_view_hook(view_hook)
        return guard is not None and guard(self.request, _a_view)

    def _before(self, middleware: Any, guards: Guards) -> bool:
        """Return what `process_request` may, and leave on the request what it would leave there."""
        if guards.ran_in_thread is not None:
            self._learn(guards)
        if hasattr(middleware, "SessionStore"):
            # The first request finds the folder of sessions in files.
            with contextlib.suppress(ImproperlyConfigured):
                getattr(middleware.SessionStore, "_get_storage_path", tuple)()
        inline = guards.request is not None and guards.request(self.request)
        if hasattr(middleware, "SessionStore"):
            made = middleware.SessionStore if inline else SessionBase
            self.request.session = made(None)
        if type(middleware).__module__ == "django.contrib.messages.middleware":
            self._take_messages()
        return inline

    def _learn(self, guards: Guards) -> None:
        """Do once what the first request for a language does: load its catalogue."""
        from django.utils.translation import trans_real

        if settings.USE_I18N and guards.ran_in_thread is not None:
            code = trans_real.get_supported_language_variant(settings.LANGUAGE_CODE)
            trans_real.translation(code)
            self.request.LANGUAGE_CODE = code
            guards.ran_in_thread(self.request)

    def _take_messages(self) -> None:
        from django.contrib.messages.storage import default_storage

        if not hasattr(self.request, "session"):
            self.request.session = SessionBase(None)
        self.request._messages = default_storage(self.request)


def _a_view(_request: Any) -> None:
    """Stand for a view of the project: not exempt from anything."""


def _piece(
    name: str, async_view: Cost, sync_view: Cost, why: str = "", conditions: tuple[str, ...] = ()
) -> Piece:
    return Piece(
        name=name,
        kind=Kind.DJANGO,
        hooks=(),
        mode=Mode.NONE,
        inside="",
        async_view=async_view,
        sync_view=sync_view,
        is_relieved=async_view.is_less or sync_view.is_less,
        why=why,
        conditions=conditions,
    )


def _layer(layer: Layer, ours: frozenset[str], asked: _UsualRequest) -> Piece:
    stock = layer.crossings + Charge(tuple(layer.hops.values()))
    relieved, why = stock, reasons.why_stock(layer)
    conditions: tuple[str, ...] = ()
    guards = usable_guards(layer.instance) if layer.mode is Mode.HYBRID else None
    if guards is not None:
        why = ""
        if shapes.MIDDLEWARE in ours:
            left = asked.hops_left(layer, guards)
            relieved = layer.crossings + Charge(tuple(left.values()))
            conditions = reasons.conditions_of(layer)
            if left:
                why = f"{_listed(left)} in a hop: {reasons.why_blocked(layer)}"
    elif shapes.MIDDLEWARE in ours and asked.views_inline(layer.view_hook):
        # A wrapper that hands out Django's own method.
        left = {hook: name for hook, name in layer.hops.items() if hook != "process_view"}
        relieved = layer.crossings + Charge(tuple(left.values()))
    cost = Cost(stock, relieved)
    return Piece(
        name=layer.path,
        kind=Kind.MIDDLEWARE,
        hooks=layer.hooks,
        mode=layer.mode,
        inside=layer.inside,
        async_view=cost,
        sync_view=cost,
        is_relieved=cost.is_less,
        why=why,
        conditions=conditions,
    )


def _view() -> Piece:
    hop = Charge(to_thread=(VIEW,))
    alone = Cost(Charge(), Charge())
    why = "a sync view runs in the request's thread"
    if any(each["ATOMIC_REQUESTS"] for each in connections.settings.values()):
        why += "; an async view raises, because of ATOMIC_REQUESTS"
    conditions = ("one hop more if the answer is a template that is rendered later",)
    return _piece(VIEW, alone, Cost(hop, hop), why, conditions)


def _started(ours: frozenset[str], unknown: Mapping[str, str]) -> Piece:
    signal: Signal = signals.request_started
    if shapes.SIGNALS in unknown:
        return _piece(STARTED, _UNKNOWN, _UNKNOWN, unknown[shapes.SIGNALS])
    sync_receivers, _ = signal._live_receivers(ASGIHandler)
    stock = Charge(to_thread=(f"{type(signal).__module__}.{_SYNC_SEND}",) if sync_receivers else ())
    own = handler.only_these_receive(signal, ASGIHandler, handler.AT_START)
    cost = Cost(stock, Charge() if own and shapes.SIGNALS in ours else stock)
    foreign = reasons.foreign_receivers(signal, ASGIHandler, handler.AT_START)
    return _piece(STARTED, cost, cost, f"received by {_listed(foreign)}" if foreign else "")


def _closing(pieces: list[Piece], ours: frozenset[str], unknown: Mapping[str, str]) -> Piece:
    if shapes.CLOSING in unknown:
        return _piece(CLOSING, _UNKNOWN, _UNKNOWN, unknown[shapes.CLOSING])
    signal = signals.request_finished
    _, async_receivers = signal._live_receivers(ASGIHandler)
    stock = Charge(
        to_thread=(function_name(HttpResponseBase.close),),
        to_loop=(f"{type(signal).__module__}.{_ASYNC_SEND}",) if async_receivers else (),
    )
    # Connection objects belong to a request's context: those of this thread are none of its.
    why = _why_not_closed_inline()
    inline = shapes.CLOSING in ours and not why
    hopping = [each.name for each in pieces if _hops_to_thread([each.async_view.relieved])]
    if inline and hopping:
        why = f"belongs to the thread in which ran: {_listed(hopping)}"

    def cost(before: list[Cost]) -> Cost:
        touched = _hops_to_thread(each.relieved for each in before)
        return Cost(stock, Charge() if inline and not touched else stock)

    return _piece(
        CLOSING,
        cost([piece.async_view for piece in pieces]),
        cost([piece.sync_view for piece in pieces]),
        why,
        ()
        if why
        else (
            "one hop if the request made a thread, a connection or a cache that closes",
            "one hop if the answer is streamed, or files were sent",
        ),
    )


def _why_not_closed_inline() -> str:
    for close in (HttpResponseBase.close, ASGIRequest.close):
        if not own_function(close):
            return f"close was replaced by {function_name(close)}"
    foreign = reasons.foreign_receivers(signals.request_finished, ASGIHandler, handler.AT_END)
    if foreign:
        return f"request_finished is received by {_listed(foreign)}"
    if _answered_where_it_is_closed() and handler.caches_to_close():
        return "the sessions' cache has to be closed"
    return ""


def _answered_where_it_is_closed() -> bool:
    """Return whether `handle` itself awaits the view, so that closing sees the caches it made.

    Django 5.2 and 6.0 answer in a task of its own, whose context closing does not see.
    """
    handle: Any = inspect.unwrap(ASGIHandler.handle)
    return "run_get_response" in getattr(getattr(handle, "__code__", None), "co_names", ())


def _thread(pieces: list[Piece], ours: frozenset[str], unknown: Mapping[str, str]) -> Piece:
    if shapes.THREAD in unknown:
        return _piece(THREAD, _UNKNOWN, _UNKNOWN, unknown[shapes.THREAD])
    joining = _starts_a_thread_to_join()

    def cost(before: list[Cost]) -> Cost:
        stock = 1 + joining if _hops_to_thread(each.stock for each in before) else 0
        left = _hops_to_thread(each.relieved for each in before)
        relieved = stock if shapes.THREAD not in ours else int(left)
        return Cost(Charge(threads=stock), Charge(threads=relieved))

    return _piece(
        THREAD,
        cost([piece.async_view for piece in pieces]),
        cost([piece.sync_view for piece in pieces]),
        f"asgiref {asgiref.__version__} starts a second one to join the first" if joining else "",
        ("one thread if anything hops, your own code included",),
    )


def _starts_a_thread_to_join() -> bool:
    leave: Any = inspect.unwrap(ThreadSensitiveContext.__aexit__)
    return "Thread" in leave.__code__.co_names


def _hops_to_thread(charges: Any) -> bool:
    return any(each is not None and each.to_thread for each in charges)


def _listed(names: Any) -> str:
    return ", ".join(names)


_UNKNOWN = Cost(None, None)
