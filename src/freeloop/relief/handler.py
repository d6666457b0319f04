"""What Django's ASGI handler does around each request, without the hops that can do nothing.

Stands in for two names of `django.core.handlers.asgi`: `signals` and `sync_to_async`. The receivers
of a signal are never touched. They are looked at when the signal is sent: Django's own have nothing
to do for a request that has no thread, no connection and no cache, and any other is sent as stock
sends it.
"""

from __future__ import annotations

import contextlib
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

from asgiref import sync as asgiref_sync
from asgiref.sync import SyncToAsync
from django.core import signals as django_signals
from django.core.cache import caches, close_caches
from django.core.cache.backends.base import BaseCache
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import reset_urlconf
from django.db import close_old_connections, connections, reset_queries
from django.db.backends.base.base import BaseDatabaseWrapper
from django.dispatch import Signal
from django.http.response import HttpResponseBase

from freeloop.relief.plain import own_function
from freeloop.relief.request_thread import (
    forget_dead_bridge,
    retire_after_next_call,
    untouched,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

# Of a request as it came, and once it was read.
_BODIES = frozenset({BytesIO, SpooledTemporaryFile})
# By identity: a receiver need not be comparable.
AT_START = frozenset(map(id, (reset_queries, close_old_connections)))
AT_END = frozenset(map(id, (close_old_connections, close_caches, reset_urlconf)))


class RelievedSignals:
    """`django.core.signals` as the ASGI handler sees it."""

    def __init__(self, stock: ModuleType) -> None:
        self._stock = stock
        self.request_started = _RequestStarted(stock.request_started)
        self.request_finished = _RequestFinished(stock.request_finished)

    def __getattr__(self, name: str) -> Any:
        """Return every other name of the module."""
        return getattr(self._stock, name)


class _RequestSignal:
    def __init__(self, stock: Signal) -> None:
        self._stock = stock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stock, name)


class _RequestStarted(_RequestSignal):
    async def asend(self, sender: Any, **named: Any) -> Any:
        """Skip Django's own receivers: they tidy the connections of a thread still to start."""
        if untouched() and _started.only_own(sender):
            return []
        return await self._stock.asend(sender, **named)


class _RequestFinished(_RequestSignal):
    async def asend(self, sender: Any, **named: Any) -> Any:
        """Send inline what has nothing to wait for: the client went away before the answer."""
        if untouched() and nothing_to_finish(sender):
            return self._stock.send(sender, **named)
        forget_dead_bridge()
        return await self._stock.asend(sender, **named)


def relieved_sync_to_async(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return `sync_to_async` for the ASGI handler: `response.close` runs inline if it can."""

    def sync_to_async(func: Any = None, *args: Any, **kwargs: Any) -> Any:
        response = getattr(func, "__self__", None)
        if args or kwargs or not isinstance(response, HttpResponseBase):
            return stock(func, *args, **kwargs)

        async def close() -> None:
            if closes_inline(response, func):
                _close(response)
            else:
                forget_dead_bridge()
                if _hands_over_at_once(stock):
                    retire_after_next_call()
                await stock(func)()

        return close

    return sync_to_async


def _hands_over_at_once(stock: Any) -> bool:
    # asgiref's own gives the call to the thread before it waits for anything. Something that
    # somebody put in its place may wait first, and would then find the thread gone.
    call = SyncToAsync.__call__
    return (
        stock is asgiref_sync.sync_to_async
        and call.__code__.co_filename == asgiref_sync.__file__
        and asgiref_sync.SyncToAsync is SyncToAsync
    )


def closes_inline(response: Any, method: Any) -> bool:
    """Return whether `response.close` has nothing to do that could wait or belongs to a thread."""
    function = getattr(method, "__func__", None)
    if not untouched() or function is not HttpResponseBase.close or not own_function(function):
        return False
    closers = response._resource_closers
    if response.streaming or len(closers) != 1:
        return False
    request = getattr(closers[0], "__self__", None)
    return (
        type(request) is ASGIRequest
        and getattr(closers[0], "__func__", None) is ASGIRequest.close
        and own_function(ASGIRequest.close)
        and "close" not in vars(response)
        and not getattr(request, "_files", None)
        and type(request._stream) in _BODIES
        and not getattr(request._stream, "_rolled", False)
        and nothing_to_finish(response._handler_class)
    )


def _close(response: Any) -> None:
    # As `HttpResponseBase.close`, whose shape is asked for on installing, with the one receiver of
    # `request_finished` that has something left to do: the others have just been found idle.
    (closer,) = response._resource_closers
    with contextlib.suppress(Exception):
        closer()
    response._resource_closers.clear()
    response.closed = True
    reset_urlconf(sender=response._handler_class)


def nothing_to_finish(sender: Any) -> bool:
    """Return whether `request_finished` would find nothing to close in this context."""
    return (
        _finished.only_own(sender)
        and not any(map(_to_close, connections.all(initialized_only=True)))
        and not caches_to_close()
    )


def only_these_receive(signal: Signal, sender: Any, own: frozenset[int]) -> bool:
    """Return whether every live receiver of the signal is one of Django's own."""
    sync_receivers, async_receivers = signal._live_receivers(sender)
    return not async_receivers and all(id(receiver) in own for receiver in sync_receivers)


_SENDING = frozenset({"_live_receivers", "asend", "send"})


def _sends_as_django() -> bool:
    # A tool that wrapped one of them counts what is sent.
    return own_function(Signal.asend) and own_function(Signal.send)


class _Receivers:
    """Remembers, while the list of receivers stays as it is, whether all of them are Django's."""

    def __init__(self, signal: Signal, own: frozenset[int]) -> None:
        self._signal = signal
        self._own = own
        self._seen: list[Any] = []
        self._verdicts: dict[Any, bool] = {}

    def only_own(self, sender: Any) -> bool:
        """Return what `only_these_receive` answers for this sender, if sending is Django's."""
        if not (_sends_as_django() and vars(self._signal).keys().isdisjoint(_SENDING)):
            return False
        # The elements are compared by identity first. One that died since makes the verdict stay
        # "no" for a while, never "yes".
        if self._seen != self._signal.receivers:
            self._seen = list(self._signal.receivers)
            self._verdicts = {}
        verdict = self._verdicts.get(sender)
        if verdict is None:
            verdict = only_these_receive(self._signal, sender, self._own)
            self._verdicts[sender] = verdict
        return verdict


_started = _Receivers(django_signals.request_started, AT_START)
_finished = _Receivers(django_signals.request_finished, AT_END)


def _to_close(connection: Any) -> bool:
    # A server that imports the project on its event loop (uvicorn's workers do) leaves connection
    # objects in every request's context: never opened, and unknown to the thread that stock closes
    # in. Closing one that is not open does nothing, as long as it is Django's own way of closing.
    stock = BaseDatabaseWrapper.close_if_unusable_or_obsolete
    return (
        connection.connection is not None
        or type(connection).close_if_unusable_or_obsolete is not stock
        or "close_if_unusable_or_obsolete" in vars(connection)
        or not own_function(stock)
    )


def caches_to_close() -> bool:
    """Return whether a cache of this context has a `close` that does something."""
    # A cache whose `close` is the base class's does nothing on closing.
    made = caches.all(initialized_only=True)
    return any(type(each).close is not BaseCache.close for each in made)
