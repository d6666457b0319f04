"""Two slips that `freeloop check --fix` mends: both views are async, and hold the whole loop."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse

from kitchen.asked import asked_ms
from kitchen.oven import baked

DEFAULT_MS = 10


def cake_sync(request: HttpRequest) -> HttpResponse:
    time.sleep(asked_ms(request, DEFAULT_MS) / 1000)
    return HttpResponse("Cake is ready.")


async def cake_async(request: HttpRequest) -> HttpResponse:
    """The sync view with `async` in front: nobody else is served while the cake bakes."""
    time.sleep(asked_ms(request, DEFAULT_MS) / 1000)
    return HttpResponse("Cake is ready.")


def bread_sync(request: HttpRequest) -> HttpResponse:
    return HttpResponse(baked(asked_ms(request, DEFAULT_MS)))


async def bread_async(request: HttpRequest) -> HttpResponse:
    """The helper that waits has an async twin, and the view forgot to call that one."""
    return HttpResponse(baked(asked_ms(request, DEFAULT_MS)))
