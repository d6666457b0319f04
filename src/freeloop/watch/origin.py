"""Which request a piece of running code belongs to: a context variable that tasks inherit.

Nothing here is done per callback. `follow` runs once per request, on the event loop, in about
a microsecond; everything else is read by the watchdog, from its own thread.
"""

from __future__ import annotations

import asyncio
import weakref
from contextvars import ContextVar
from typing import Any

_LONGEST_PATH = 300


class Origin:
    """One call of the application: a request, a WebSocket, or the server's lifespan.

    Attributes:
        path: Without query; `(lifespan)` for the server's start and end.
        route: Pattern that the resolver matched, once somebody looked.
        coroutine: What the application returned; dead when it has ended.
        task: The server's task that runs it.
        scope_id: Identity of the scope.
    """

    __slots__ = ("coroutine", "path", "route", "scope_id", "task")

    def __init__(self, scope_id: int, path: str) -> None:
        self.scope_id = scope_id
        self.path = path
        self.route: str | None = None
        self.coroutine: Any = None
        self.task: Any = None

    @property
    def running(self) -> bool:
        """Whether the application still works on it."""
        coroutine = self.coroutine() if self.coroutine is not None else None
        return coroutine is not None and getattr(coroutine, "cr_frame", None) is not None


current: ContextVar[Origin | None] = ContextVar("freeloop_watch", default=None)

# By weak reference to the coroutine; it takes itself out when the coroutine dies. `dict.pop` is
# the callback because it is written in C: no Python code runs in somebody's deallocation.
in_flight: dict[Any, Origin] = {}

# How many there have been, in a list because a name of a module is slower to count up.
begun = [0]


def follow(scope: Any, coroutine: Any) -> None:
    """Note in this context that it now works for the scope."""
    outer = current.get()
    if outer is not None and outer.scope_id == id(scope) and outer.running:
        return  # wrapped twice
    origin = Origin(id(scope), str(scope.get("path") or f"({scope.get('type')})")[:_LONGEST_PATH])
    if scope["type"] == "lifespan":  # as long as the process: not in flight
        origin.coroutine = weakref.ref(coroutine)
    else:
        origin.coroutine = weakref.ref(coroutine, in_flight.pop)
        in_flight[origin.coroutine] = origin
        begun[0] += 1
    task = asyncio.current_task()
    if task is not None:
        origin.task = weakref.ref(task)
    current.set(origin)


def of_context(context: Any) -> Origin | None:
    """Return the origin in a context; also for the context of another thread."""
    origin = context.get(current) if context is not None else None
    return origin if isinstance(origin, Origin) else None
