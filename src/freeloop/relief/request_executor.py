"""The executor of one request: Python's own thread, worker and work items, without the pool.

asgiref makes a `ThreadPoolExecutor` of one thread for each request. A pool counts its idle threads
and keeps itself reachable for them, with a semaphore, four locks and a weak reference; a thread of
one request needs a queue. Measured with 50 connections on two cores (`benchmarks/relief.py`): 0.9 x
the CPU of a view with one query.

The executor is put where asgiref would put one, from the beginning of a request, and costs nothing
until it is given something to do. Whoever has replaced a method of Python's pool (tracing tools
do) wants to be called: then asgiref makes the executor.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import thread as pools
from inspect import signature
from operator import attrgetter
from queue import SimpleQueue
from types import FunctionType
from typing import TYPE_CHECKING, Any

from asgiref import sync

from freeloop.relief.loop_answer import loop_answer

if TYPE_CHECKING:
    from collections.abc import Callable

# What a pool does that this executor does in its place.
_METHODS = ("__init__", "submit", "shutdown", "_adjust_thread_count")
_methods = attrgetter(*_METHODS)
_found = _methods(ThreadPoolExecutor)


class RequestExecutor(ThreadPoolExecutor):
    """One thread for one request; made when it is first given something to do.

    Attributes:
        after_next: Called once, when the next call has been taken in.
    """

    # What tools read of any pool.
    _max_workers = 1

    def __init__(self) -> None:
        self._work_queue: Any = None
        self._threads: Any = ()
        self._shutdown = False
        self.after_next: Callable[[], None] | None = None

    @property
    def began(self) -> bool:
        """Whether it was ever given something to do."""
        return self._work_queue is not None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Take a call in, as a pool does; return a future, of the loop's own where it asks."""
        # Python's lock of all pools: none starts a thread while the process ends.
        with pools._global_shutdown_lock:
            if self._shutdown:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if pools._shutdown:
                raise RuntimeError("cannot schedule new futures after interpreter shutdown")
            if self._work_queue is None:
                self._work_queue = SimpleQueue()
            answer = loop_answer()
            told: Any = Future() if answer is None else answer
            self._work_queue.put(pools._WorkItem(told, fn, args, kwargs))
            if not self._threads:
                self._start()
        if self.after_next is not None:
            after, self.after_next = self.after_next, None
            after()
        return told if answer is None else answer.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        """Let the thread end after its work, and take no more in."""
        with pools._global_shutdown_lock:
            self._shutdown = True
            if self._work_queue is not None:
                while cancel_futures and not self._work_queue.empty():
                    if (item := self._work_queue.get()) is not None:
                        item.future.cancel()
                self._work_queue.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def __del__(self) -> None:
        """End the thread of an executor that was lost, as a pool does."""
        if self._threads and not self._shutdown:
            self._work_queue.put(None)

    def _start(self) -> None:
        # The worker ends at the first None in its queue when there is no pool to ask.
        thread = threading.Thread(
            name=f"ThreadPoolExecutor-{ThreadPoolExecutor._counter()}_0",  # type: ignore[attr-defined]
            target=pools._worker,
            args=(_no_pool, self._work_queue, None, ()),
        )
        thread.start()
        self._threads = (thread,)
        pools._threads_queues[thread] = self._work_queue  # type: ignore[index]


def _no_pool() -> None:
    """Stand for the weak reference to a pool that is gone."""


def new_executor() -> RequestExecutor | None:
    """Return an executor for a request, or None where asgiref is to make it."""
    asgirefs = vars(sync).get("ThreadPoolExecutor")
    if asgirefs is ThreadPoolExecutor and _methods(ThreadPoolExecutor) == _found:
        return RequestExecutor()
    return None


def difference() -> str:
    """Return what is unknown in this Python's pools, or nothing."""
    if vars(sync).get("ThreadPoolExecutor") is not ThreadPoolExecutor:
        return "asgiref uses another ThreadPoolExecutor"
    for name, method in zip(_METHODS, _methods(ThreadPoolExecutor), strict=True):
        if type(method) is not FunctionType or method.__code__.co_filename != pools.__file__:
            return f"ThreadPoolExecutor.{name} is replaced"
    takes = {
        "_WorkItem": ["future", "fn", "args", "kwargs"],
        "_worker": ["executor_reference", "work_queue", "initializer", "initargs"],
    }
    for name, wanted in takes.items():
        made = getattr(pools, name, None)
        if not callable(made) or list(signature(made).parameters) != wanted:
            return f"concurrent.futures.thread.{name} takes other arguments"
    there = ("_global_shutdown_lock", "_shutdown", "_threads_queues")
    missing = [name for name in there if not hasattr(pools, name)]
    if not callable(getattr(ThreadPoolExecutor, "_counter", None)):
        missing.append("ThreadPoolExecutor._counter")
    return f"concurrent.futures.thread has no {', '.join(missing)}" if missing else ""
