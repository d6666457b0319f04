"""Locks that are let go before the task waits, or that know tasks."""

from __future__ import annotations

import asyncio
import threading

shared = threading.Lock()
of_tasks = asyncio.Lock()


async def lets_go(request):
    with shared:
        print("held")
    await asyncio.sleep(1)


async def of_asyncio(request):
    async with of_tasks:
        await asyncio.sleep(1)


async def other_block(request, path):
    with path.open():
        await asyncio.sleep(1)
