"""Gathered waits that do run together."""

from __future__ import annotations

import asyncio

from django.db import models


class Dish(models.Model):
    pass


async def mixed(request, client):
    await asyncio.gather(Dish.objects.acount(), client.get("http://example.org"))


async def sleeps(request):
    await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2))


async def in_sequence(request):
    await Dish.objects.acount()
    await Dish.objects.aget(pk=1)
