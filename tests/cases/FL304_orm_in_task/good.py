"""Tasks that are awaited, that tidy up, or that use no ORM."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
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


async def closing():
    await database_sync_to_async(Order.objects.create)()


async def closed_by_its_adapter(request):
    tasks.add(asyncio.create_task(closing()))


class Orders(AsyncWebsocketConsumer):
    async def connect(self):
        """Channels closes old connections of the thread that all consumers share."""
        tasks.add(asyncio.create_task(book()))
