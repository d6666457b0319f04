"""Queries in the request's thread, and threads without queries."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from django.db import connection, models


class Dish(models.Model):
    pass


def load():
    return Dish.objects.count()


def load_and_close():
    try:
        return Dish.objects.count()
    finally:
        connection.close()


def compute():
    return sum(range(9))


async def view(request):
    await sync_to_async(load)()
    await asyncio.to_thread(compute)
    await sync_to_async(compute, thread_sensitive=False)()
    await asyncio.to_thread(load_and_close)
