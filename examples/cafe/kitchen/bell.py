"""A bell on the counter: threads and tasks of any event loop wait for its next ring."""

from __future__ import annotations

import asyncio
import threading


class Bell:
    """Counts its rings; a waiter gets the new count, or None when its patience ends.

    Attributes:
        rings: How often it rang since the process started.
    """

    def __init__(self) -> None:
        self.rings = 0
        self._changed = threading.Condition()
        self._tasks: dict[asyncio.Future[int], asyncio.AbstractEventLoop] = {}

    def ring(self) -> int:
        """Ring once, wake everybody, and return the count."""
        with self._changed:
            self.rings += 1
            self._changed.notify_all()
            waiting = list(self._tasks.items())
            for future, loop in waiting:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_tell, future, self.rings)
            return self.rings

    def wait(self, seconds: float) -> int | None:
        """Hold this thread until the next ring."""
        with self._changed:
            before = self.rings
            rang = self._changed.wait_for(lambda: self.rings > before, seconds)
            return self.rings if rang else None

    async def await_ring(self, seconds: float) -> int | None:
        """Suspend this task until the next ring."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        with self._changed:
            self._tasks[future] = loop
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return None
        finally:
            with self._changed:
                del self._tasks[future]


def _tell(future: asyncio.Future[int], rings: int) -> None:
    if not future.done():
        future.set_result(rings)
