"""Prices: what the market asks, and a margin."""

from __future__ import annotations

from django.http import HttpRequest

from kitchen.market import vegetable_price, vegetable_price_async

MARGIN_CENTS = 250


def price_of_the_day(ms: int) -> int:
    return vegetable_price(ms) + MARGIN_CENTS


async def price_of_the_day_async(request: HttpRequest, ms: int) -> int:
    return await vegetable_price_async(request, ms) + MARGIN_CENTS
