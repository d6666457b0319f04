"""Async views that await, that are too small for a hop, and functions that are no views."""

from __future__ import annotations

import asyncio

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path


async def waits(request):
    await asyncio.sleep(1)
    return JsonResponse({"rows": rows()})


async def tiny(request):
    return HttpResponse("ok")


async def loops(request):
    return JsonResponse({"rows": [row async for row in events()]})


async def streams(request):
    return StreamingHttpResponse(events())


async def events():
    yield "one"
    await asyncio.sleep(1)


def rows():
    return [1]


async def no_view(request):
    return rows()


def sync_view(request):
    return JsonResponse({"rows": rows()})


urlpatterns = [
    path("waits/", waits),
    path("tiny/", tiny),
    path("loops/", loops),
    path("streams/", streams),
    path("sync/", sync_view),
]
