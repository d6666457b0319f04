"""Adapters that want a loop of their own, called on a loop."""

from __future__ import annotations

import asyncio

from asgiref.sync import async_to_sync


async def work():
    await asyncio.sleep(0)


async def direct(request):
    async_to_sync(work)()  # FL201


async def deep(request):
    helper()


def helper():
    work_now = async_to_sync(work)
    work_now()  # FL201


@async_to_sync
async def entered():
    await asyncio.sleep(0)


async def decorated(request):
    entered()  # FL201


async def runs(request):
    asyncio.run(work())  # FL201
