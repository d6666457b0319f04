"""Adapters around an async function that is certain."""

from __future__ import annotations

import asyncio

from asgiref.sync import async_to_sync


async def work(*args):
    await asyncio.sleep(0)
    return "done"


class Kitchen:
    async def cook(self, request):
        await self.wash(request)  # FL201

    async def wash(self, request):
        await asyncio.sleep(0)


async def direct(request):
    await work()  # FL201
    return (await work(request, 1)).upper()  # FL201


async def runs(request):
    return (await work(request)).upper()  # FL201
