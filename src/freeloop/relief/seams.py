"""The few names of Django that relief stands in for, put in by `install`, back by `uninstall`.

Each is a name of a module or a class that the ASGI handler looks up; no setting is read, nothing is
imported but Django's handlers, so `install` may run before `django.setup()`.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.handlers import asgi, base
from django.db.utils import ConnectionHandler

from freeloop.relief import request_executor, request_thread, shapes, switch
from freeloop.relief.connections import tracking_create_connection
from freeloop.relief.handler import RelievedSignals, relieved_sync_to_async
from freeloop.relief.middleware import relieved_adapt, relieved_convert, relieved_load_middleware
from freeloop.relief.request_thread import RequestThread

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("freeloop.relief")

CONNECTIONS = "connections"


@dataclass(frozen=True, slots=True)
class Seam:
    """One name: where it is, which part of relief it belongs to, what stands in for it."""

    part: str
    owner: Any
    name: str
    stand_in: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Installed:
    seam: Seam
    stock: Any
    ours: Any


_lock = threading.Lock()
_installed: list[_Installed] = []
_said: set[str] = set()


def seams() -> tuple[Seam, ...]:
    """Return every seam, in the order in which they are put in."""
    return (
        Seam(shapes.THREAD, asgi, "ThreadSensitiveContext", lambda _stock: RequestThread),
        Seam(
            shapes.EXECUTOR,
            request_thread,
            "new_executor",
            lambda _stock: request_executor.new_executor,
        ),
        Seam(shapes.SIGNALS, asgi, "signals", RelievedSignals),
        Seam(shapes.CLOSING, asgi, "sync_to_async", relieved_sync_to_async),
        Seam(
            shapes.MIDDLEWARE,
            base,
            "convert_exception_to_response",
            relieved_convert,
        ),
        Seam(shapes.MIDDLEWARE, base.BaseHandler, "adapt_method_mode", relieved_adapt),
        Seam(shapes.MIDDLEWARE, base.BaseHandler, "load_middleware", relieved_load_middleware),
        Seam(CONNECTIONS, ConnectionHandler, "create_connection", tracking_create_connection),
    )


def install() -> tuple[str, ...]:
    """Relieve the ASGI handlers that are built from now on; return the parts that are in place.

    Idempotent. Does nothing when the environment says FREELOOP_RELIEF=0. A part whose code in the
    installed Django or asgiref has an unknown shape stays stock: logged once, and named by the
    system check `freeloop.W001`.
    """
    if switch.killed():
        return ()
    with _lock:
        if _installed:
            return installed_parts()
        unknown = shapes.unknown_shapes()
        for part, difference in unknown.items():
            if part not in _said:
                _said.add(part)
                logger.warning("freeloop relief: %s stays stock: %s", part, difference)
        for seam in seams():
            if seam.part not in unknown:
                stock = getattr(seam.owner, seam.name)
                ours = seam.stand_in(stock)
                setattr(seam.owner, seam.name, ours)
                _installed.append(_Installed(seam, stock, ours))
        switch.set_installed(True)
    return installed_parts()


def uninstall() -> tuple[str, ...]:
    """Put Django's own names back; return those that someone else has replaced since.

    What somebody put over ours (a monitoring tool) stays, with ours below it; ours then does what
    stock does.
    """
    left: list[str] = []
    with _lock:
        for each in reversed(_installed):
            if vars(each.seam.owner).get(each.seam.name) is each.ours:
                setattr(each.seam.owner, each.seam.name, each.stock)
            else:
                left.append(f"{each.seam.owner.__name__}.{each.seam.name}")
        _installed.clear()
        switch.set_installed(False)
    return tuple(left)


def installed_parts() -> tuple[str, ...]:
    """Return the parts of relief that are in place."""
    return tuple(dict.fromkeys(each.seam.part for each in _installed))
