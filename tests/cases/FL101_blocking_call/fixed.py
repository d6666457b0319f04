"""Waits that have an async twin, in places where an await may stand."""

from __future__ import annotations

import asyncio
import time
import time as clock
from time import sleep as pause

from django.core.cache import cache


async def statement(request):
    await asyncio.sleep(1)  # FL101


async def with_other_uses(request):
    started = time.monotonic()
    await asyncio.sleep(0.1)  # FL101
    await asyncio.sleep(0.1)  # FL101
    return time.monotonic() - started


async def value(request):
    return [await asyncio.sleep(each) for each in (1, 2)], str(await asyncio.sleep(0)).upper()  # FL101


async def of_cache(request):
    if not await cache.aget("a"):  # FL101
        await cache.aset("a", 1, timeout=5)  # FL101
    return (await cache.aget_or_set("b", "c")).upper()  # FL101


def price(seconds, *, rounded=True):
    """Return the price of a wait."""
    time.sleep(seconds)  # FL101
    return round(seconds) if rounded else seconds


async def price_async(seconds, *, rounded=True):
    await asyncio.sleep(seconds)
    return round(seconds) if rounded else seconds


async def own_twin(request):
    return (await price_async(2)).bit_length() + await price_async(1, rounded=False)
