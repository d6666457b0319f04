"""Waits that have an async twin, in places where an await may stand."""

from __future__ import annotations

import time
import time as clock
from time import sleep as pause

from django.core.cache import cache


async def statement(request):
    time.sleep(1)  # FL101


async def with_other_uses(request):
    started = time.monotonic()
    clock.sleep(0.1)  # FL101
    pause(0.1)  # FL101
    return time.monotonic() - started


async def value(request):
    return [time.sleep(each) for each in (1, 2)], str(time.sleep(0)).upper()  # FL101


async def of_cache(request):
    if not cache.get("a"):  # FL101
        cache.set("a", 1, timeout=5)  # FL101
    return cache.get_or_set("b", "c").upper()  # FL101


def price(seconds, *, rounded=True):
    """Return the price of a wait."""
    time.sleep(seconds)  # FL101
    return round(seconds) if rounded else seconds


async def price_async(seconds, *, rounded=True):
    await asyncio.sleep(seconds)
    return round(seconds) if rounded else seconds


async def own_twin(request):
    return price(2).bit_length() + price(1, rounded=False)
