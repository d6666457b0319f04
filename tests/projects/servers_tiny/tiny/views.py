"""Views that wait, hold, burn and stream; `ms` in the query says how long."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
from typing import Any


def _seconds(request: HttpRequest) -> float:
    return int(request.GET.get("ms", "50")) / 1000


def hello(request: HttpRequest) -> HttpResponse:
    request.get_host()  # refuses a host that ALLOWED_HOSTS does not know, as real projects do
    return HttpResponse(settings.GREETING)


def shown_settings(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"greeting": settings.GREETING, "nested": settings.NESTED})


def modules(request: HttpRequest) -> JsonResponse:
    return JsonResponse(sorted(name for name in sys.modules if "freeloop" in name), safe=False)


def pid(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"pid": os.getpid(), "cores": sorted(os.sched_getaffinity(0))})


def wait(request: HttpRequest) -> HttpResponse:
    time.sleep(_seconds(request))
    return HttpResponse("waited")


async def wait_async(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(_seconds(request))
    return HttpResponse("waited")


async def threads(request: HttpRequest) -> JsonResponse:
    await asyncio.sleep(_seconds(request))
    return JsonResponse({"threads": threading.active_count()})


async def hold_loop(request: HttpRequest) -> HttpResponse:
    _pause(_seconds(request))
    return HttpResponse("held")


def _pause(seconds: float) -> None:
    time.sleep(seconds)  # the place that the agent must name


async def gather(request: HttpRequest) -> HttpResponse:
    async def part() -> None:
        await asyncio.sleep(0)
        time.sleep(_seconds(request) / 2)

    await asyncio.gather(part(), part())
    return HttpResponse("gathered")


def _query() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def query_then_wait(request: HttpRequest) -> HttpResponse:
    await sync_to_async(_query)()
    await asyncio.sleep(_seconds(request))
    return HttpResponse("queried")


_pools: list[Any] = []


async def pool_then_wait(request: HttpRequest) -> HttpResponse:
    """Use psycopg's own pool, with no ORM; imported here as late as a project may do it."""
    from psycopg_pool import AsyncConnectionPool

    if not _pools:
        _pools.append(AsyncConnectionPool(settings.DSN, min_size=1, max_size=3, open=False))
        await _pools[0].open()
    async with _pools[0].connection() as borrowed:
        await borrowed.execute("SELECT 1")
        await asyncio.sleep(_seconds(request))
    return HttpResponse("queried")


def _burn(seconds: float) -> int:
    start_ns = time.thread_time_ns()
    while time.thread_time_ns() - start_ns < seconds * 1e9:
        sum(range(1000))
    return time.process_time_ns()


def burn(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"process_cpu_ns": _burn(_seconds(request))})


async def burn_in_bits(request: HttpRequest) -> HttpResponse:
    for _ in range(int(request.GET["ms"])):
        _burn(0.001)
        await sync_to_async(len)(())  # gives the interpreter lock away at a place of its own
    return HttpResponse("burnt")


async def burn_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"process_cpu_ns": _burn(_seconds(request))})


async def _events() -> AsyncIterator[str]:
    for number in range(3):
        await asyncio.sleep(0.01)
        yield f"data: {number}\n\n"


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_events(), content_type="text/event-stream")
