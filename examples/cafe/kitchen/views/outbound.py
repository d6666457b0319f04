"""One call to the slow supplier; the HTTP client matters as much as sync or async."""

from __future__ import annotations

import httpx
from django.http import HttpRequest, JsonResponse

from kitchen.asked import asked_ms
from kitchen.clients import (
    aiohttp_session,
    httpx_async_client,
    httpx_client,
    new_httpx_async_client,
    requests_session,
    supplier,
)

DEFAULT_MS = 50


def requests_sync(request: HttpRequest) -> JsonResponse:
    delivery = requests_session().get(supplier(asked_ms(request, DEFAULT_MS)), timeout=30)
    delivery.raise_for_status()
    return JsonResponse({"delivery": delivery.json()})


async def aiohttp_async(request: HttpRequest) -> JsonResponse:
    address = supplier(asked_ms(request, DEFAULT_MS))
    async with aiohttp_session(request) as session, session.get(address) as delivery:
        delivery.raise_for_status()
        return JsonResponse({"delivery": await delivery.json()})


def httpx_sync(request: HttpRequest) -> JsonResponse:
    delivery = httpx_client().get(supplier(asked_ms(request, DEFAULT_MS)), timeout=30)
    delivery.raise_for_status()
    return JsonResponse({"delivery": delivery.json()})


async def httpx_async(request: HttpRequest) -> JsonResponse:
    address = supplier(asked_ms(request, DEFAULT_MS))
    async with httpx_async_client(request) as client:
        delivery = await client.get(address, timeout=30)
    delivery.raise_for_status()
    return JsonResponse({"delivery": delivery.json()})


def new_client_sync(request: HttpRequest) -> JsonResponse:
    """A client for one request pays for its TLS context and its connection every time."""
    with httpx.Client(trust_env=False) as client:
        delivery = client.get(supplier(asked_ms(request, DEFAULT_MS)), timeout=30)
    delivery.raise_for_status()
    return JsonResponse({"delivery": delivery.json()})


async def new_client_async(request: HttpRequest) -> JsonResponse:
    """The same on the event loop, where everybody pays for it."""
    async with new_httpx_async_client() as client:
        delivery = await client.get(supplier(asked_ms(request, DEFAULT_MS)), timeout=30)
    delivery.raise_for_status()
    return JsonResponse({"delivery": delivery.json()})
