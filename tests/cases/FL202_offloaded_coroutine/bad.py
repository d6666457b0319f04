"""What a thread cannot run."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from django.db import models


class Dish(models.Model):
    pass


async def aload(pk):
    await asyncio.sleep(0)


def load(pk):
    return "dish"


async def coroutine_function(request):
    await sync_to_async(aload)(1)  # FL202
    await asyncio.to_thread(aload, 1)  # FL202


async def result_of_call(request):
    await sync_to_async(load(1))  # FL202
    await sync_to_async(aload(1))()  # FL202
    await sync_to_async(Dish.objects.filter(pk=1))()  # FL202
