"""Tasks that use the ORM after their request."""

from __future__ import annotations

import asyncio

from django.db import models

tasks = set()


class Order(models.Model):
    pass


async def book():
    await deeper()


async def deeper():
    await Order.objects.acreate()


async def view(request):
    task = asyncio.create_task(book())  # FL304
    tasks.add(task)


async def dropped(request):
    asyncio.create_task(deeper())  # FL304
