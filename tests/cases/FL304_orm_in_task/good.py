"""Tasks that are awaited, that tidy up, or that use no ORM."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from django.db import close_old_connections, models

tasks = set()


class Order(models.Model):
    pass


async def book():
    await Order.objects.acreate()


async def tidy():
    try:
        await Order.objects.acreate()
    finally:
        await sync_to_async(close_old_connections)()


async def tell():
    await asyncio.sleep(1)


async def awaited(request):
    task = asyncio.create_task(book())
    await asyncio.sleep(1)
    await task


async def gathered(request):
    first = asyncio.create_task(book())
    await asyncio.gather(first)


async def grouped(request):
    async with asyncio.TaskGroup() as group:
        group.create_task(book())


async def others(request):
    tasks.add(asyncio.create_task(tidy()))
    tasks.add(asyncio.create_task(tell()))
