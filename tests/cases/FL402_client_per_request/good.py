"""Clients that are kept."""

from __future__ import annotations

import httpx

CLIENT = httpx.AsyncClient()
_kept = {}


async def view(request):
    return await CLIENT.get("http://example.org")


class Supplier:
    def __init__(self):
        self.client = httpx.AsyncClient()

    async def order(self):
        return await self.client.get("http://example.org")


async def kept(request):
    if "client" not in _kept:
        _kept["client"] = httpx.AsyncClient()
    return await _kept["client"].get("http://example.org")


def sync_view(request):
    with httpx.Client() as client:
        return client.get("http://example.org")
