"""Queries that are gathered in vain."""

from __future__ import annotations

import asyncio

from django.db import models


class Dish(models.Model):
    pass


async def view(request):
    await asyncio.gather(Dish.objects.acount(), Dish.objects.aget(pk=1))  # FL302


async def starred(request):
    await asyncio.gather(*(Dish.objects.aget(pk=pk) for pk in (1, 2)))  # FL302
