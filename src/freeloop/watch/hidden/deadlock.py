"""A thread that waits for a coroutine that waits for that same thread.

Sync code on asgiref's single thread calls `async_to_sync`; what it awaits needs a thread-sensitive
call, and that call is queued behind it. Nobody will ever move.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

from freeloop.watch.stacks import suspended
from freeloop.watch.stretch import Frame

# Long enough that a call which is just being handed over is not taken for one that never comes.
_PATIENCE_NS = 500_000_000
_DEEPEST = 30
_MANY = (list, tuple, set, frozenset)


class DeadlockCheck:
    """Remembers since when a thread has stood at the same call."""

    def __init__(self) -> None:
        self._standing: dict[int, tuple[int, int, int]] = {}

    def waiter(self, queue: Any, frame: FrameType, at_ns: int) -> tuple[Frame, ...]:
        """Return the stack of who waits for the thread while the thread waits for them.

        Args:
            queue: What the thread serves; something waits in it.
            frame: Innermost frame of the thread.
            at_ns: Now.
        """
        call = _bridge(frame)
        if call is None:
            self._standing.pop(id(queue), None)
            return ()
        mark = (id(call), call.f_lasti)
        standing = self._standing.get(id(queue))
        if standing is None or standing[:2] != mark:
            if len(self._standing) > _DEEPEST:
                self._standing.clear()
            self._standing[id(queue)] = (*mark, at_ns)
            return ()
        if at_ns - standing[2] < _PATIENCE_NS:
            return ()
        stack = _needs(call.f_locals.get("awaitable"), queue, set())
        return tuple(stack)


def _bridge(frame: FrameType | None) -> FrameType | None:
    """Return the frame of `AsyncToSync.__call__` in which a thread waits."""
    for _ in range(_DEEPEST):
        if frame is None:
            return None
        code = frame.f_code
        if code.co_name == "__call__" and code.co_filename.endswith("asgiref/sync.py"):
            return frame
        frame = frame.f_back
    return None


def _needs(coroutine: Any, queue: Any, seen: set[int]) -> list[Frame]:
    """Return the stack, innermost first, of what waits in the queue below a coroutine."""
    if coroutine is None or id(coroutine) in seen or len(seen) > _DEEPEST:
        return []
    seen.add(id(coroutine))
    frames = suspended(coroutine)
    stack = [
        (each.f_code.co_filename, each.f_lineno or 0, each.f_code.co_name)
        for each in reversed(frames)
    ]
    for frame in reversed(frames):
        executor = frame.f_locals.get("executor")
        if executor is not None and getattr(executor, "_work_queue", None) is queue:
            return stack
        for task in _tasks_in(frame):
            found = _needs(task.get_coro(), queue, seen)
            if found:
                return found + stack
    return []


def _tasks_in(frame: FrameType) -> list[Any]:
    """Return the tasks that a suspended frame may be waiting for: those in its variables."""
    found: list[Any] = []
    for value in frame.f_locals.values():
        group = getattr(value, "_tasks", None) or getattr(value, "_children", None)
        many = value if isinstance(value, _MANY) else group
        found += [value, *(many if isinstance(many, _MANY) else ())]
    return [each for each in found if callable(getattr(each, "get_coro", None)) and not each.done()]
