"""A tally of served guests, kept twice: once with a lost update, once without."""

from __future__ import annotations

import asyncio
import threading

GAP_S = 0.01


class Tally:
    """Guests served since the process started.

    Attributes:
        served: The count.
    """

    def __init__(self) -> None:
        self.served = 0
        self._writing = threading.Lock()

    async def add_and_lose(self) -> int:
        """Add one guest the wrong way: everybody who reads during the await is lost."""
        seen = self.served
        await asyncio.sleep(GAP_S)
        self.served = seen + 1
        return self.served

    async def add(self) -> int:
        """Add one guest: wait first, then read and write without an await between."""
        await asyncio.sleep(GAP_S)
        # No await inside, so a thread's lock does not stall the loop. It is for WSGI, where
        # each async view runs on a loop and thread of its own.
        with self._writing:
            self.served += 1
            return self.served
