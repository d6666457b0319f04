"""The executor of one request: its thread is started, and the event loop does not wait for that.

`threading.Thread.start` waits until the new thread says that it runs. Under load that thread first
has to get the interpreter lock from all others, and the event loop stands still meanwhile. There is
nothing in it for the request: what it asked for waits in the executor's queue in any case. Without
that wait an async view with one query cost 0.87 x (50 connections, two cores, `benchmarks/relief`).

The executor is there from the beginning of a request, where asgiref would put it at first use, and
costs nothing until then.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import thread as executors
from queue import SimpleQueue
from types import FunctionType, SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

# What the method does that starts the thread: its Thread is replaced, the rest is Python's own.
KNOWN_NAMES = frozenset(
    {
        *("_idle_semaphore", "acquire", "_work_queue", "len", "_threads", "_max_workers"),
        *("_thread_name_prefix", "threading", "Thread", "_worker", "weakref", "ref"),
        *("_initializer", "_initargs", "start", "add", "_threads_queues"),
    }
)


class _Running(threading.Event):
    """Set once the thread runs; whoever starts it is not kept waiting."""

    def wait(self, timeout: float | None = None) -> bool:
        """Return at once: the only one who calls this is `Thread.start`."""
        del timeout
        return True

    def awaited(self, timeout: float | None) -> bool:
        """Wait, as an event does."""
        return super().wait(timeout)


class RequestThreadStart(threading.Thread):
    """A thread whose `start` returns before it runs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._started = _Running()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end, and before it for the beginning: stock refuses to join before."""
        if self._started.awaited(timeout):
            super().join(timeout)


class RequestExecutor(ThreadPoolExecutor):
    """One thread for one request; made when it is first given something to do.

    Attributes:
        began: Whether that has happened.
    """

    # What tools read of any executor: before it began it has no thread and no work.
    _max_workers = 1
    _threads: set[threading.Thread] = set()  # noqa: RUF012 - never added to
    _work_queue: SimpleQueue[Any] = SimpleQueue()

    def __init__(self) -> None:
        self.began = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Take a call in, as every executor does."""
        self._begin()
        return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        """Let the thread end after its work, and take no more in."""
        self._begin()
        super().shutdown(wait, cancel_futures=cancel_futures)

    def _begin(self) -> None:
        if not self.began:
            super().__init__(max_workers=1)
            self.began = True

    # Python's own code, which finds our class where it looks for `threading.Thread`.
    _adjust_thread_count = FunctionType(
        ThreadPoolExecutor._adjust_thread_count.__code__,
        {**vars(executors), "threading": SimpleNamespace(Thread=RequestThreadStart)},
        closure=ThreadPoolExecutor._adjust_thread_count.__closure__,
    )


def difference() -> str:
    """Return what is unknown in how this Python starts threads, or nothing."""
    starts = getattr(ThreadPoolExecutor, "_adjust_thread_count", None)
    code = getattr(starts, "__code__", None)
    if code is None or code.co_filename != executors.__file__:
        return "ThreadPoolExecutor._adjust_thread_count is replaced"
    other = set(code.co_names) ^ KNOWN_NAMES
    if other:
        return f"ThreadPoolExecutor._adjust_thread_count: {', '.join(sorted(other))}"
    runs = getattr(getattr(threading.Thread, "_bootstrap_inner", None), "__code__", None)
    if runs is None or not {"_started", "set"} <= set(runs.co_names):
        return "Thread._bootstrap_inner does not set _started"
    return ""
