"""Dropped coroutines of functions that are certain."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from django.db import models


class Dish(models.Model):
    pass


async def work():
    await asyncio.sleep(0)


class Kitchen:
    async def cook(self):
        await asyncio.sleep(0)

    async def open(self):
        await self.cook()  # FL501


tell = sync_to_async(print)


async def view(request):
    await work()  # FL501
    await asyncio.sleep(1)  # FL501
    await Kitchen().cook()  # FL501
    kitchen = Kitchen()
    if request is not None: await kitchen.cook()  # FL501
    dish = await Dish.objects.aget(pk=1)
    await dish.asave()  # FL501
    await Dish.objects.acreate()  # FL501
    await tell("told"); await sync_to_async(print)("told")  # FL501
