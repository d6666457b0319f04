"""A lock of threads, held while the task waits."""

from __future__ import annotations

import asyncio
import threading

shared = threading.Lock()


class Store:
    def __init__(self):
        self._lock = threading.RLock()

    async def save(self):
        with self._lock:
            await asyncio.sleep(1)  # FL104


async def with_global(request):
    with shared:
        print("held")
        async with asyncio.timeout(1):  # FL104
            await asyncio.sleep(1)
