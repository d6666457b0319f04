"""Coroutines that are made and dropped."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import models


class Dish(models.Model):
    pass


async def work():
    await asyncio.sleep(0)


class Kitchen:
    async def cook(self):
        await asyncio.sleep(0)


async def view(request):
    work()  # FL501
    asyncio.sleep(1)  # FL501
    Kitchen().cook()  # FL501
    kitchen = Kitchen()
    kitchen.cook()  # FL501
    dish = await Dish.objects.aget(pk=1)
    dish.asave()  # FL501
    Dish.objects.acreate()  # FL501
    sync_to_async(print)("told")  # FL501


async def deep(request):
    helper()


def helper():
    work()  # FL501


class Chat(AsyncWebsocketConsumer):
    async def disconnect(self, code):
        self.close(code=code)  # FL501
