"""How a call in a request's thread answers the event loop: directly, with one future.

A pool's `submit` makes a future for threads, and the loop chains one of its own to it: two locks,
five callbacks and two copies for each call. Here the work item tells the loop's future, and that
tells `asyncio.shield`, through which asgiref waits, in the same turn of the loop. Each turn gives
the interpreter lock away and takes it again, beside threads that want it. Measured with 50
connections on two cores (as `benchmarks/relief.py`): 0.95 x the CPU of a view with one query.

Nobody else sees the difference: only asgiref, which hands its calls to the loop, gets such an
answer, and only on loops that take a future of asyncio's from an executor.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import BaseEventLoop
from types import FunctionType
from typing import TYPE_CHECKING, Any

from asgiref.sync import SyncToAsync

if TYPE_CHECKING:
    from collections.abc import Callable


class LoopAnswer:
    """What a work item takes for its future; the loop's own stands behind it."""

    __slots__ = ("_loop", "future")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()

    def set_running_or_notify_cancel(self) -> bool:
        """Return whether the call is still wanted."""
        return not self.future.cancelled()

    def set_result(self, result: object) -> None:
        """Give the loop what the call returned."""
        self._tell(_return, result)

    def set_exception(self, error: BaseException) -> None:
        """Give the loop what the call raised."""
        self._tell(_raise, error)

    def cancel(self) -> None:
        """Tell the loop that the call will not run."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.future.cancel)

    def _tell(self, how: Callable[[asyncio.Future[Any], Any], None], what: object) -> None:
        # As a chained future: a loop that was closed meanwhile has nobody left who waits.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(how, self.future, what)


def _return(future: asyncio.Future[Any], result: object) -> None:
    if not future.cancelled():
        _settle(future, future.set_result, result)


def _raise(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.cancelled():
        _settle(future, future.set_exception, _of_asyncio(error))


def _settle(future: Any, settle: Callable[[Any], None], what: object) -> None:
    callbacks: Any = getattr(future, "_callbacks", None) or ()
    if len(callbacks) != 1 or not _is_shields(callbacks[0][0]):
        settle(what)
        return
    ((tell_shield, context),) = callbacks
    future.remove_done_callback(tell_shield)
    settle(what)
    context.run(tell_shield, future)


def _is_shields(callback: object) -> bool:
    return type(callback) is FunctionType and callback.__module__ == asyncio.tasks.__name__


# Chaining turns errors of `concurrent.futures` into asyncio's; how differs between versions.
_of_asyncio: Any = getattr(asyncio.futures, "_convert_future_exc", None)
_ASGIREF = SyncToAsync.__call__.__code__
_ASYNCIO = BaseEventLoop.run_in_executor.__code__
# Whether both still do what makes an answer right: give the call to the loop, and have whatever
# the executor returns wrapped, which leaves a future of asyncio's as it is.
_KNOWN = (
    callable(_of_asyncio)
    and "run_in_executor" in _ASGIREF.co_names
    and "submit" not in _ASGIREF.co_names
    and "wrap_future" in _ASYNCIO.co_names
)


def loop_answer() -> LoopAnswer | None:
    """Return an answer for the caller of `submit`, if that is asgiref by way of its loop."""
    loop = asyncio._get_running_loop()
    if loop is None or not _KNOWN:
        return None
    frame: Any = sys._getframe(2)
    if frame.f_code is _ASYNCIO:
        frame = frame.f_back
    elif type(loop).__module__ != "uvloop":  # whose `run_in_executor` has no frame
        return None
    return LoopAnswer(loop) if frame.f_code is _ASGIREF else None
