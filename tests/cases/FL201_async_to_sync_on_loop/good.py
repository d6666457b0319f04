"""The same adapters in threads and sync code."""

from __future__ import annotations

import asyncio

from asgiref.sync import async_to_sync, sync_to_async


async def work():
    await asyncio.sleep(0)


def sync_view(request):
    async_to_sync(work)()
    asyncio.run(work())


async def awaits(request):
    await work()


async def in_thread(request):
    await sync_to_async(sync_view)(request)


work_now = async_to_sync(work)
