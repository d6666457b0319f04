"""Queries in threads that nobody tidies."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from django.db import models


class Dish(models.Model):
    pass


def load():
    return inner()


def inner():
    return Dish.objects.count()


async def view(request):
    await sync_to_async(load, thread_sensitive=False)()  # FL203
    await asyncio.to_thread(Dish.objects.count)  # FL203
    await asyncio.get_running_loop().run_in_executor(None, load)  # FL203
