"""Coroutines that are used as if they were their results."""

from __future__ import annotations

import asyncio

from django.db import models


class Dish(models.Model):
    name = models.CharField(max_length=9)


async def price():
    await asyncio.sleep(0)
    return 7


async def attribute(request):
    dish = Dish.objects.aget(pk=1)
    return dish.name  # FL502


async def condition(request):
    exists = Dish.objects.filter(pk=1).aexists()  # FL502
    if exists:
        return 1


async def condition_directly(request):
    if Dish.objects.filter(pk=1).aexists():  # FL502
        return 1


async def index(request):
    found = price()
    return found[0]  # FL502


async def sums(request):
    return price() + 1  # FL502


async def compares(request):
    return price() == 7  # FL502


async def loops(request):
    for each in price():  # FL502
        print(each)


async def formats(request):
    return f"{price()} cents"  # FL502


async def one_of_several(request):
    known = price()  # FL502
    if request.GET and known:
        return 1
