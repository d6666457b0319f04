"""Stand-alone: count and time the thread hops of one request, and the threads it starts.

A hop is one call of asgiref's `SyncToAsync` (to a thread) or `AsyncToSync` (to the event loop),
wherever it then runs. Seen on asgiref 3.8.1 to 3.13; the canary is
tests/record/test_asgiref_hops.py.

    with watching(), recording() as request:
        await application(scope, receive, send)
    request.hops, request.threads

`watching` stands in for three methods while it lasts, and puts them back. What is not inside of a
`recording` pays one look at a context variable.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from asgiref.sync import AsyncToSync, SyncToAsync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A request that hops more often than this is counted on, and its hops are no longer kept.
MOST_HOPS = 10_000
# Of a function: more would be a chain that leads back to itself.
MOST_WRAPPERS = 20


class Direction(StrEnum):
    """Where a hop goes."""

    TO_THREAD = "to thread"
    TO_LOOP = "to loop"


@dataclass(slots=True)
class Hop:
    """One hop.

    Attributes:
        direction: Where it goes.
        function: Dotted name of what is called there.
        called_ns: When it was asked for, by `perf_counter_ns`.
        started_ns: When the function began; None if it never did.
        ended_ns: When the function ended, also by raising; None while it runs.
    """

    direction: Direction
    function: str
    called_ns: int
    started_ns: int | None = None
    ended_ns: int | None = None

    @property
    def queued_ns(self) -> int | None:
        """Time from the call until the function began: queueing, waking or starting a thread."""
        return None if self.started_ns is None else self.started_ns - self.called_ns

    @property
    def run_ns(self) -> int | None:
        """Time that the function took there."""
        if self.started_ns is None or self.ended_ns is None:
            return None
        return self.ended_ns - self.started_ns


@dataclass(slots=True)
class Recorded:
    """What one request did, filled while it runs.

    Attributes:
        hops: In the order of their calls, at most MOST_HOPS.
        dropped: Hops that were not kept.
        threads: Threads started, Python's `threading.Thread` only.
    """

    hops: list[Hop] = field(default_factory=list)
    dropped: int = 0
    threads: int = 0

    def count(self, direction: Direction) -> int:
        """Return how many of the kept hops went in one direction."""
        return sum(hop.direction is direction for hop in self.hops)

    def begin(self, direction: Direction, function: Any) -> Hop:
        """Note that a hop was asked for."""
        hop = Hop(direction, function_name(function), perf_counter_ns())
        if len(self.hops) < MOST_HOPS:
            self.hops.append(hop)
        else:
            self.dropped += 1
        return hop


_recorded: ContextVar[Recorded | None] = ContextVar("freeloop_recorded", default=None)
_lock = threading.Lock()
_watchers = 0
_patched: list[tuple[type, str, Any, Any]] = []


@contextlib.contextmanager
def recording() -> Iterator[Recorded]:
    """Record what happens in this context, and in the tasks and hops that start in it."""
    recorded = Recorded()
    token = _recorded.set(recorded)
    try:
        yield recorded
    finally:
        _recorded.reset(token)


@contextlib.contextmanager
def watching() -> Iterator[None]:
    """Make hops and threads visible to `recording`; blocks may overlap, in any thread."""
    global _watchers
    with _lock:
        _watchers += 1
        if _watchers == 1:
            _put_in()
    try:
        yield
    finally:
        with _lock:
            _watchers -= 1
            if not _watchers:
                _take_out()


def function_name(function: Any) -> str:
    """Return "module.qualname" below decorators; a thing without a name is called by its type.

    Never by `repr`, which may run a query.
    """
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


def _put_in() -> None:
    for owner, name, stand_in in (
        (SyncToAsync, "__call__", _watched_to_thread),
        (AsyncToSync, "__call__", _watched_to_loop),
        (threading.Thread, "start", _watched_start),
    ):
        stock = owner.__dict__[name]
        ours = stand_in(stock)
        setattr(owner, name, ours)
        _patched.append((owner, name, stock, ours))


def _take_out() -> None:
    # What somebody put over ours in the meantime stays, and calls through to stock.
    for owner, name, stock, ours in reversed(_patched):
        if owner.__dict__.get(name) is ours:
            setattr(owner, name, stock)
    _patched.clear()


def _watched_to_thread(stock: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stock)
    async def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        recorded = _recorded.get()
        if recorded is None:
            return await stock(self, *args, **kwargs)
        function = self.func
        hop = recorded.begin(Direction.TO_THREAD, function)

        def timed(*args: Any, **kwargs: Any) -> Any:
            hop.started_ns = perf_counter_ns()
            try:
                return function(*args, **kwargs)
            finally:
                hop.ended_ns = perf_counter_ns()

        return await stock(_copy_with(self, func=timed), *args, **kwargs)

    return __call__


def _watched_to_loop(stock: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stock)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        recorded = _recorded.get()
        if recorded is None:
            return stock(self, *args, **kwargs)
        awaitable = self.awaitable
        hop = recorded.begin(Direction.TO_LOOP, awaitable)

        async def timed(*args: Any, **kwargs: Any) -> Any:
            hop.started_ns = perf_counter_ns()
            try:
                return await awaitable(*args, **kwargs)
            finally:
                hop.ended_ns = perf_counter_ns()

        return stock(_copy_with(self, awaitable=timed), *args, **kwargs)

    return __call__


def _watched_start(stock: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stock)
    def start(self: Any) -> Any:
        recorded = _recorded.get()
        if recorded is not None:
            recorded.threads += 1
        return stock(self)

    return start


def _copy_with(adapter: Any, **replaced: Any) -> Any:
    # One object may be called by many requests at once, so its function cannot be replaced in it.
    copied = object.__new__(type(adapter))
    copied.__dict__.update(adapter.__dict__, **replaced)
    return copied
