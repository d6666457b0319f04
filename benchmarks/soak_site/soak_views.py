"""Mixed work, faults, and the blocks that are planted: each of those has a path of its own."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import asdict

from django.contrib.auth.models import Group
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from prometheus_client import generate_latest

from freeloop.watch import reports

HOLD_S = 0.08
# One call of `pow` with it takes some tens of milliseconds.
MODULUS = 7**80_000
OK = "done"
_left_behind: set[asyncio.Task[None]] = set()


async def awaits(request: HttpRequest) -> HttpResponse:
    """Wait as async code should."""
    await asyncio.gather(*(asyncio.sleep(0.02) for _ in range(3)))
    return HttpResponse(OK)


async def reads(request: HttpRequest) -> HttpResponse:
    """Ask the database."""
    return HttpResponse(str([await Group.objects.acount() for _ in range(2)]))


async def writes(request: HttpRequest) -> HttpResponse:
    """Add a row and take it away."""
    group = await Group.objects.acreate(name=f"group {time.perf_counter_ns()}")
    await group.adelete()
    return HttpResponse(OK)


def in_a_thread(request: HttpRequest) -> HttpResponse:
    """Answer as most views do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.03)")
    return HttpResponse(OK)


async def streams(request: HttpRequest) -> StreamingHttpResponse:
    """Send piece by piece; some clients go away in between."""

    async def pieces() -> AsyncIterator[str]:
        for number in range(5):
            await asyncio.sleep(0.02)
            yield f"piece {number}\n"

    return StreamingHttpResponse(pieces())


async def fails(request: HttpRequest) -> HttpResponse:
    """Raise."""
    raise LookupError("planted")


async def loses(request: HttpRequest) -> HttpResponse:
    """Raise where nobody asks."""

    async def lost() -> None:
        raise LookupError("planted")

    asyncio.create_task(lost())  # noqa: RUF006
    await asyncio.sleep(0.01)
    return HttpResponse(OK)


async def outlives(request: HttpRequest) -> HttpResponse:
    """Leave a task behind."""

    async def later() -> None:
        await asyncio.sleep(0.5)

    task = asyncio.create_task(later())
    _left_behind.add(task)
    task.add_done_callback(_left_behind.discard)
    return HttpResponse(OK)


def kills(request: HttpRequest) -> HttpResponse:
    """End every other connection to this database, as a restart of the server does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    return HttpResponse(OK)


async def block_wait(request: HttpRequest, number: int) -> HttpResponse:
    """Hold the loop by a waiting call."""
    time.sleep(HOLD_S)  # noqa: ASYNC251 - it is planted
    return HttpResponse(OK)


async def block_cpu(request: HttpRequest, number: int) -> HttpResponse:
    """Hold the loop by Python code."""
    began = time.thread_time()
    while time.thread_time() - began < HOLD_S:
        sum(range(500))
    return HttpResponse(OK)


async def block_gil(request: HttpRequest, number: int) -> HttpResponse:
    """Hold the loop by one call in C that keeps the interpreter lock."""
    began = time.thread_time()
    while time.thread_time() - began < HOLD_S:
        pow(3, 400_003, MODULUS)
    return HttpResponse(OK)


async def block_task(request: HttpRequest, number: int) -> HttpResponse:
    """Hold the loop in a task of the request."""

    async def work() -> None:
        await asyncio.sleep(0.01)
        time.sleep(HOLD_S)  # noqa: ASYNC251 - it is planted

    await asyncio.create_task(work())
    return HttpResponse(hashlib.sha256(OK.encode()).hexdigest())


async def metrics(request: HttpRequest) -> HttpResponse:
    """Show what Prometheus would fetch."""
    return HttpResponse(generate_latest())


async def counts(request: HttpRequest) -> JsonResponse:
    """Show what the watch says of itself."""
    names = sorted(each.name for each in threading.enumerate())
    return JsonResponse(asdict(reports.counts) | {"threads": names})


BLOCKS = (block_wait, block_cpu, block_gil, block_task)
MIXED = (awaits, reads, writes, in_a_thread, streams, fails, loses, outlives)
urlpatterns = [
    *(path(f"{view.__name__}/", view) for view in (*MIXED, kills, metrics, counts)),
    *(path(f"{view.__name__}/<int:number>/", view) for view in BLOCKS),
]
