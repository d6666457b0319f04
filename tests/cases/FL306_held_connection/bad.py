"""Waits that come after a query, and hold its connection."""

from __future__ import annotations

import asyncio

import httpx
from asgiref.sync import sync_to_async
from django.db import models
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

client = httpx.AsyncClient()


class Dish(models.Model):
    pass


async def query_then_call(request):
    dish = await Dish.objects.aget(pk=1)
    rate = await client.get("http://rates.test")  # FL306
    return HttpResponse([dish, rate])


async def query_then_sleep(request):
    async for dish in Dish.objects.all():
        print(dish)
    await asyncio.sleep(1)  # FL306
    return HttpResponse("soup")


async def deep(request):
    await load()
    await ask()  # FL306
    return HttpResponse("soup")


async def load():
    return await sync_to_async(count)()


def count():
    return Dish.objects.count()


async def ask():
    async with httpx.AsyncClient() as fresh:
        return await fresh.post("http://rates.test")


async def stream(request):
    dishes = await Dish.objects.acount()
    return StreamingHttpResponse(events(dishes))


async def events(dishes):
    while True:
        yield f"data: {dishes}"
        await asyncio.sleep(1)  # FL306


urlpatterns = [
    path("call/", query_then_call),
    path("sleep/", query_then_sleep),
    path("deep/", deep),
    path("stream/", stream),
]
