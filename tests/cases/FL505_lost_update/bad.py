"""Shared state that is read, awaited over, and written."""

from __future__ import annotations

import asyncio

served = 0


class Tally:
    def __init__(self):
        self.served = 0

    async def add(self):
        seen = self.served
        await asyncio.sleep(0.01)
        self.served = seen + 1  # FL505

    async def highest(self, number):
        seen = self.served
        await asyncio.sleep(0.01)
        self.served = max(seen, number)  # FL505

    async def told(self):
        seen = self.served
        print(await self.add())
        self.served = seen  # FL505


async def add(request):
    global served
    seen = served
    if seen < 10:
        await asyncio.sleep(0.01)
    served = seen + 1  # FL505
