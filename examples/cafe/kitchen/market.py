"""The market's price comes from the slow supplier: one call that blocks, one that does not."""

from __future__ import annotations

from django.http import HttpRequest

from kitchen.clients import aiohttp_session, requests_session, supplier

PRICE_CENTS = 180


def vegetable_price(ms: int) -> int:
    requests_session().get(supplier(ms), timeout=30).raise_for_status()
    return PRICE_CENTS


async def vegetable_price_async(request: HttpRequest, ms: int) -> int:
    async with aiohttp_session(request) as session, session.get(supplier(ms)) as delivery:
        delivery.raise_for_status()
        return PRICE_CENTS
