"""Four calls for one answer: one after the other, or together."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import aiohttp
from django.http import HttpRequest, JsonResponse

from kitchen.asked import asked_ms
from kitchen.clients import aiohttp_session, httpx_async_client, requests_session, supplier

DEFAULT_MS = 50
CALLS = 4


def sequence_sync(request: HttpRequest) -> JsonResponse:
    address = supplier(asked_ms(request, DEFAULT_MS))
    return JsonResponse({"deliveries": [_order(address) for _ in range(CALLS)]})


async def sequence_async(request: HttpRequest) -> JsonResponse:
    """Async and yet one after the other: an await in a loop waits each time."""
    address = supplier(asked_ms(request, DEFAULT_MS))
    async with aiohttp_session(request) as session:
        deliveries = [await _order_async(session, address) for _ in range(CALLS)]
    return JsonResponse({"deliveries": deliveries})


async def gathered_async(request: HttpRequest) -> JsonResponse:
    address = supplier(asked_ms(request, DEFAULT_MS))
    async with aiohttp_session(request) as session, asyncio.TaskGroup() as group:
        orders = [group.create_task(_order_async(session, address)) for _ in range(CALLS)]
    return JsonResponse({"deliveries": [order.result() for order in orders]})


async def gathered_httpx_async(request: HttpRequest) -> JsonResponse:
    address = supplier(asked_ms(request, DEFAULT_MS))
    async with httpx_async_client(request) as client, asyncio.TaskGroup() as group:
        orders = [group.create_task(client.get(address, timeout=30)) for _ in range(CALLS)]
    return JsonResponse(
        {"deliveries": [order.result().raise_for_status().json() for order in orders]}
    )


def threads_sync(request: HttpRequest) -> JsonResponse:
    """Overlapped waits without async: four threads for the time of one request."""
    address = supplier(asked_ms(request, DEFAULT_MS))
    with ThreadPoolExecutor(CALLS) as pool:
        deliveries = list(pool.map(_order, [address] * CALLS))
    return JsonResponse({"deliveries": deliveries})


def _order(address: str) -> object:
    delivery = requests_session().get(address, timeout=30)
    delivery.raise_for_status()
    return delivery.json()


async def _order_async(session: aiohttp.ClientSession, address: str) -> object:
    async with session.get(address) as delivery:
        delivery.raise_for_status()
        return await delivery.json()
