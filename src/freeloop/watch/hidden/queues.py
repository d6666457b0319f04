"""Work that waits for a thread: asgiref's single threads (`serialised`), and every other executor.

The registry of executor threads is private (CPython 3.12 to 3.14); where it is missing, nothing is
seen and nothing breaks.
"""

from __future__ import annotations

import sys
from concurrent.futures import thread as executor_threads
from contextvars import Context
from types import FrameType
from typing import Any

from freeloop.watch.hidden.deadlock import DeadlockCheck
from freeloop.watch.hidden.episode import Episode
from freeloop.watch.loops import WatchedLoop
from freeloop.watch.origin import Origin, of_context
from freeloop.watch.stacks import frames_of, stack_of
from freeloop.watch.stretch import Cause
from freeloop.watch.threads import waits


class Queues:
    """Every executor with work that no thread has taken."""

    def __init__(self) -> None:
        self._episodes: dict[int, Episode] = {}
        self._deadlock = DeadlockCheck()

    @property
    def follows(self) -> bool:
        """Whether work waits somewhere."""
        return bool(self._episodes)

    def look(self, _loops: list[WatchedLoop], frames: dict[int, FrameType], at_ns: int) -> None:
        """Follow the queues that are not empty."""
        waiting = _waiting_queues(frames)
        for key in [key for key in self._episodes if key not in waiting]:
            self._episodes.pop(key).report()
        for key, (queue, at_work) in waiting.items():
            episode = self._episodes.get(key)
            if episode is None:
                shown = next((frame for frame in at_work if not waits(frame)), at_work[0])
                self._episodes[key] = Episode(
                    cause=Cause.SERIALISED if _of_asgiref(queue) else Cause.EXECUTOR_QUEUE,
                    since_ns=at_ns,
                    last_ns=at_ns,
                    frames=stack_of(shown),
                    origin=origin_of_thread(frames_of(shown)),
                )
                continue
            if len(at_work) == 1 and not episode.reported:
                waiter = self._deadlock.waiter(queue, at_work[0], at_ns)
                if waiter:
                    episode.cause, episode.other = Cause.DEADLOCK, waiter
                    episode.frames = stack_of(at_work[0])
            episode.again(at_ns)


def origin_of_thread(frames: list[FrameType]) -> Origin | None:
    """Return the request that a worker thread works for: its context came along with the work."""
    for frame in frames:
        name = frame.f_code.co_name
        context = frame.f_locals.get("context") if name in ("func", "run_child") else None
        if isinstance(context, list):
            context = context[0] if context else None
        if context is None and name == "run":
            context = _context_of_work(frame.f_locals.get("self"))
        if isinstance(context, Context) and (origin := of_context(context)) is not None:
            return origin
    return None


def _context_of_work(item: Any) -> Any:
    # asyncio.to_thread hands `partial(context.run, function)` to the executor.
    work = getattr(item, "fn", None)
    return getattr(getattr(work, "func", None), "__self__", None)


def _waiting_queues(frames: dict[int, FrameType]) -> dict[int, tuple[Any, list[FrameType]]]:
    """Return each queue in which work waits, and the frames of the threads that are at work."""
    registry = getattr(executor_threads, "_threads_queues", None)
    if registry is None:
        return {}
    try:
        pairs = list(registry.items())
    except RuntimeError:  # it changed while it was read; the next look sees it
        return {}
    found: dict[int, tuple[Any, list[FrameType]]] = {}
    for thread, queue in pairs:
        # A pool that was shut down keeps a sentinel in its queue; identities are used again.
        frame = frames.get(thread.ident) if queue.qsize() and thread.is_alive() else None
        if frame is not None and stack_of(frame):
            found.setdefault(id(queue), (queue, []))[1].append(frame)
    return found


def _of_asgiref(queue: Any) -> bool:
    """Return whether a queue belongs to a thread that asgiref keeps for thread-sensitive code."""
    sync_to_async = getattr(sys.modules.get("asgiref.sync"), "SyncToAsync", None)
    if sync_to_async is None:
        return False
    executors = [sync_to_async.single_thread_executor]
    try:
        executors += list(sync_to_async.context_to_thread_executor.values())
    except RuntimeError:
        return True
    return any(getattr(each, "_work_queue", None) is queue for each in executors)
