"""Waiting and nothing else, in every way that a view can do it."""

from __future__ import annotations

import asyncio
import time

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse

from kitchen.asked import asked_ms
from kitchen.work import chop

DEFAULT_MS = 50
CHOP_MS = 5


def wait_sync(request: HttpRequest) -> HttpResponse:
    time.sleep(asked_ms(request, DEFAULT_MS) / 1000)
    return HttpResponse("Soup is ready.")


async def wait_async(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(asked_ms(request, DEFAULT_MS) / 1000)
    return HttpResponse("Soup is ready.")


async def wait_to_thread(request: HttpRequest) -> HttpResponse:
    """asyncio's default pool has a few threads more than the machine has cores: a hidden limit."""
    await asyncio.to_thread(time.sleep, asked_ms(request, DEFAULT_MS) / 1000)
    return HttpResponse("Soup is ready.")


async def wait_adapter(request: HttpRequest) -> HttpResponse:
    """asgiref's adapter uses the thread of the request: no limit, and a thread each."""
    await sync_to_async(time.sleep)(asked_ms(request, DEFAULT_MS) / 1000)
    return HttpResponse("Soup is ready.")


def wait_then_chop_sync(request: HttpRequest) -> HttpResponse:
    time.sleep(asked_ms(request, DEFAULT_MS) / 1000)
    chop(CHOP_MS)
    return HttpResponse("Stew is ready.")


async def wait_then_chop_async(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(asked_ms(request, DEFAULT_MS) / 1000)
    chop(CHOP_MS)
    return HttpResponse("Stew is ready.")
