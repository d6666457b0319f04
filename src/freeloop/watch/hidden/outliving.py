"""Tasks that a request started and left behind: they still run when it has been answered."""

from __future__ import annotations

import asyncio
import weakref
from types import FrameType
from typing import Any

from freeloop.watch.hidden.episode import Episode
from freeloop.watch.loops import WatchedLoop
from freeloop.watch.origin import Origin, begun, in_flight, of_context
from freeloop.watch.stacks import stack_of_task
from freeloop.watch.stretch import Cause, is_project


class OutlivingTasks:
    """Looks at the tasks of a loop when requests have ended, and as long as some outlive theirs."""

    def __init__(self) -> None:
        self._begun = 0
        self._running = False
        self._episodes: dict[Any, Episode] = {}

    @property
    def follows(self) -> bool:
        """Whether a task is under watch, or a request may just have left one."""
        return bool(self._episodes) or self._running or self._begun != begun[0]

    def look(self, loops: list[WatchedLoop], _frames: dict[int, FrameType], at_ns: int) -> None:
        """Follow the tasks whose request is over."""
        if not self._running and not self._episodes and self._begun == begun[0]:
            return
        self._begun = begun[0]
        # Once more after the last request has ended.
        self._running = bool(in_flight)
        alive = {}
        for watched in loops:
            for task in asyncio.all_tasks(watched.loop):
                origin = of_context(task.get_context())
                if origin is not None and not origin.running and not _own_task(origin, task):
                    alive[weakref.ref(task)] = (task, origin)
        for key in [key for key in self._episodes if key not in alive]:
            self._episodes.pop(key).report()
        for key, (task, origin) in alive.items():
            if key in self._episodes:
                self._episodes[key].again(at_ns)
                continue
            stack = stack_of_task(task)
            # Pools and clients start workers of their own in the first request that needs them.
            if any(is_project(file) for file, _, _ in stack):
                self._episodes[key] = Episode(
                    Cause.OUTLIVES_REQUEST, at_ns, at_ns, stack, origin, task.get_name()
                )


def _own_task(origin: Origin, task: Any) -> bool:
    """Return whether the server's own task runs the request: it has some tidying up to do."""
    return origin.task is not None and origin.task() is task
