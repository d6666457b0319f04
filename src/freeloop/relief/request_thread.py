"""The thread of one request: entered as stock enters it, left without waiting for it.

asgiref gives a request its own thread when the first sync call asks for one. Stock Django then
starts a second thread only to join the first (asgiref 3.13), or joins it on the event loop (older
ones). Here it is told to end once its work is done.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Self

from asgiref.sync import AsyncToSync, SyncToAsync, ThreadSensitiveContext

from freeloop.relief import switch

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from freeloop.relief.request_executor import RequestExecutor

# Makes a request's executor; None, or where it returns None, leaves that to asgiref. Put in by
# `install()`.
new_executor: Callable[[], RequestExecutor | None] | None = None

_current: ContextVar[RequestThread | None] = ContextVar("freeloop_request_thread", default=None)


class RequestThread(ThreadSensitiveContext):
    """Stands where Django enters its ThreadSensitiveContext: around one ASGI request.

    Attributes:
        relieved: Whether this request is relieved; drawn on entering, unless it was given.
        below_sync_code: Whether somebody's sync code waits for this request, and lends its thread.
    """

    def __init__(self, *, relieved: bool | None = None) -> None:
        super().__init__()
        self.relieved = False
        self._given = relieved
        self._outer: RequestThread | None = None
        self.below_sync_code = False
        self._own: RequestExecutor | None = None

    async def __aenter__(self) -> Self:
        """Enter at once, as stock: later, one request would get several threads."""
        await super().__aenter__()  # type: ignore[no-untyped-call] # asgiref
        self.relieved = switch.drawn() if self._given is None else self._given
        self._outer = _current.get()
        # As long as the request has no thread, nothing in it can change this.
        self.below_sync_code = bool(getattr(AsyncToSync.executors, "current", None))
        _current.set(self)
        if self.relieved and self.token and new_executor is not None:
            self._own = new_executor()
            if self._own is not None:
                SyncToAsync.context_to_thread_executor[self] = self._own
        return self

    async def __aexit__(self, *raised: object) -> None:
        """Leave; the thread, if one was made, ends by itself after the work it was given."""
        _current.set(self._outer)
        if self.relieved and self.token:
            self.retire()
        await super().__aexit__(*raised)  # type: ignore[no-untyped-call] # asgiref

    def retire(self) -> None:
        """Let the thread, if there is one, end once it has done what it was given."""
        executor = SyncToAsync.context_to_thread_executor.pop(self, None)
        if executor is not None and not self._is_unused(executor):
            executor.shutdown(wait=False)
        self._own = None

    def untouched(self) -> bool:
        """Return whether the next sync call of this task would start the request's thread.

        Then that thread does not exist yet, so nothing that is local to it exists either.
        """
        executor = SyncToAsync.context_to_thread_executor.get(self)
        return (
            bool(self.token)
            and not self.below_sync_code
            and (executor is None or self._is_unused(executor))
            and SyncToAsync.thread_sensitive_context.get(None) is self
        )

    def leave_stock(self) -> None:
        """Answer the request as stock would; it has no thread yet."""
        self.relieved = False
        executors = SyncToAsync.context_to_thread_executor
        if self._is_unused(executors.get(self)):
            del executors[self]

    def _is_unused(self, executor: Executor | None) -> bool:
        return executor is not None and executor is self._own and not self._own.began


def retire_after_next_call() -> None:
    """Let the request's thread end with the call that is handed to it next: its last one.

    Told now, it ends as soon as that call is done. Told later, it would fall asleep and have to be
    woken to end, and under load such threads crowd the interpreter lock: 50 requests at once had
    152 threads instead of 105, and a sync view half the throughput (`benchmarks/relief.py`).
    """
    current = _current.get()
    if current is None or not current.relieved or not current.token:
        return
    own = current._own
    if own is not None and SyncToAsync.context_to_thread_executor.get(current) is own:
        own.after_next = current.retire
    else:
        # asgiref's own: when this task next gives the loop back, the call has been handed over.
        asyncio.get_running_loop().call_soon(current.retire)


def forget_dead_bridge() -> None:
    """Let the clean-up run in the request's thread when the bridge that it would take is gone.

    Cancelled while a thread leaves its `async_to_sync`, a request inherits that executor, which has
    quit: stock's clean-up fails with "CurrentThreadExecutor already quit or is broken", and closes
    nothing (a race, seen in asgiref 3.13.0). A relieved request would meet it more often: it has
    few other moments.
    """
    current = _current.get()
    if current is not None and current.relieved and not current.below_sync_code:
        executor = getattr(AsyncToSync.executors, "current", None)
        if executor is not None and _has_quit(executor):
            AsyncToSync.executors.current = None


def _has_quit(executor: object) -> bool:
    while executor is not None:
        if not getattr(executor, "_broken", False):
            return False
        executor = getattr(executor, "_old_executor", None)
    return True


def leave_stock() -> None:
    """Answer the request that is being served as stock would."""
    current = _current.get()
    if current is not None:
        current.leave_stock()


def relieved() -> bool:
    """Return whether the request that is being served is relieved.

    Outside of an ASGI handler (Django's async test client) no share is drawn.
    """
    current = _current.get()
    return switch.on() if current is None else current.relieved


def untouched() -> bool:
    """Return whether the request is relieved and has no thread yet."""
    current = _current.get()
    return current is not None and current.relieved and current.untouched()
