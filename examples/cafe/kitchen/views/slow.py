"""The first view of all: it waits three seconds and says so."""

from __future__ import annotations

import asyncio
import time

from django.http import HttpRequest, HttpResponse

WAIT_TIME = 3


async def slow_view(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(WAIT_TIME)
    return HttpResponse("Done waiting!")


def slow_view_sync(request: HttpRequest) -> HttpResponse:
    time.sleep(WAIT_TIME)
    return HttpResponse("Done waiting!")
