"""A blocking call two calls deep, in another module, and the same view mended."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse

from kitchen.asked import asked_ms
from kitchen.pricing import price_of_the_day, price_of_the_day_async

DEFAULT_MS = 50


async def blocking_async(request: HttpRequest) -> JsonResponse:
    """Looks harmless here: the wait is in kitchen.market, and it holds the whole loop."""
    return JsonResponse({"cents": price_of_the_day(asked_ms(request, DEFAULT_MS))})


async def mended_async(request: HttpRequest) -> JsonResponse:
    cents = await price_of_the_day_async(request, asked_ms(request, DEFAULT_MS))
    return JsonResponse({"cents": cents})
