"""Waits that come first, that release, or that hold nothing."""

from __future__ import annotations

import asyncio

import httpx
from asgiref.sync import sync_to_async
from django.db import connections, models
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

from freeloop.relief import release_connections

client = httpx.AsyncClient()


class Dish(models.Model):
    pass


async def wait_first(request):
    rate = await client.get("http://rates.test")
    dish = await Dish.objects.aget(pk=rate.json())
    return HttpResponse(dish)


async def releases(request):
    await Dish.objects.aget(pk=1)
    async with release_connections():
        await client.get("http://rates.test")
    return HttpResponse("soup")


async def closes(request):
    await Dish.objects.aget(pk=1)
    await sync_to_async(connections.close_all)()
    await asyncio.sleep(1)
    return HttpResponse("soup")


async def only_waits(request):
    await asyncio.sleep(1)
    return HttpResponse("soup")


async def only_when_it_fails(request):
    try:
        await Dish.objects.aget(pk=1)
    except OSError:
        await asyncio.sleep(1)
    return HttpResponse("soup")


async def stream(request):
    return StreamingHttpResponse(events())


async def events():
    for _ in range(9):
        await asyncio.sleep(1)
        yield "data: soup"
    await Dish.objects.acount()


urlpatterns = [
    path("first/", wait_first),
    path("releases/", releases),
    path("closes/", closes),
    path("only/", only_waits),
    path("fails/", only_when_it_fails),
    path("stream/", stream),
]
