"""Which request a piece of running code belongs to: a context variable that tasks inherit.

Nothing here is done per callback. `follow` runs once per request, on the event loop, in about
half a microsecond; everything else is read by the watchdog, from its own thread.
"""

from __future__ import annotations

import weakref
from asyncio import AbstractEventLoop, current_task
from contextvars import ContextVar
from typing import Any

_LONGEST_PATH = 300


class Origin(weakref.ref[Any]):
    """One call of the application: a request, a WebSocket, or the server's lifespan.

    It is itself the weak reference to the coroutine that the application returned: one object to
    make per request, and the key under which it is in flight.

    Attributes:
        given_path: As the server gave it.
        route: Pattern that the resolver matched, once somebody looked.
        task: Weak reference to the server's task that runs it.
        scope_id: Identity of the scope.
    """

    __slots__ = ("given_path", "route", "scope_id", "task")

    given_path: Any
    route: str | None
    scope_id: int
    task: weakref.ref[Any] | None

    @property
    def path(self) -> str:
        """Without query; `(lifespan)` for the server's start and end."""
        return str(self.given_path)[:_LONGEST_PATH]

    @property
    def running(self) -> bool:
        """Whether the application still works on it."""
        return getattr(self(), "cr_frame", None) is not None


current: ContextVar[Origin | None] = ContextVar("freeloop_watch", default=None)

# An origin takes itself out when its coroutine dies. `dict.pop` is the callback because it is
# written in C: no Python code runs in somebody's deallocation.
in_flight: dict[Any, Origin] = {}
_leave = in_flight.pop

# How many there have been, in a list because a name of a module is slower to count up.
begun = [0]


def follow(scope: Any, coroutine: Any, loop: AbstractEventLoop) -> None:
    """Note in this context that it now works for the scope."""
    outer = current.get()
    if outer is not None and outer.scope_id == id(scope) and outer.running:
        return  # wrapped twice
    if scope["type"] == "lifespan":  # as long as the process: not in flight
        origin = Origin(coroutine)
    else:
        origin = Origin(coroutine, _leave)
        in_flight[origin] = origin
        begun[0] += 1
    origin.given_path = scope.get("path") or f"({scope['type']})"
    origin.scope_id = id(scope)
    origin.route = None
    task = current_task(loop)
    origin.task = None if task is None else weakref.ref(task)
    current.set(origin)


def of_context(context: Any) -> Origin | None:
    """Return the origin in a context; also for the context of another thread."""
    origin = context.get(current) if context is not None else None
    return origin if isinstance(origin, Origin) else None
