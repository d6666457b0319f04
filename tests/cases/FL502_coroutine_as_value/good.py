"""Coroutines that stay coroutines, and results that were awaited."""

from __future__ import annotations

import asyncio


async def price():
    await asyncio.sleep(0)
    return 7


async def awaited(request):
    found = await price()
    return found + 1, found == 7, f"{found}"


async def awaited_later(request):
    found = price()
    return (await found) + 1


async def task(request):
    running = asyncio.create_task(price())
    if running.done():
        return running.result()
    return await running


async def closed(request):
    made = price()
    made.close()


async def replaced(request):
    found = price()
    found = await found
    return found + 1


async def none_or(request, wanted):
    made = None
    if wanted:
        made = price()
    if made is not None:
        await made
