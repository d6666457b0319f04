"""Clients that live for one call."""

from __future__ import annotations

import aiohttp
import httpx


async def view(request):
    async with httpx.AsyncClient() as client:  # FL402
        return await client.get("http://example.org")


async def assigned(request):
    client = httpx.AsyncClient()  # FL402
    async with client:
        return await client.get("http://example.org")


async def deep(request):
    async with make() as client:
        return await client.get("http://example.org")


def make():
    return httpx.AsyncClient()  # FL402


async def of_aiohttp(request):
    async with aiohttp.ClientSession() as session:  # FL402
        return await session.get("http://example.org")
