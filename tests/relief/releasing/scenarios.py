"""Views that release one connection, several, none, again, and over a bridge."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from asgiref.sync import async_to_sync
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse

from freeloop.relief import release_connections
from tests.relief.releasing.answers import found, in_thread, made, opened, process_id


async def again(_request: HttpRequest) -> HttpResponse:
    """Query, release, query, release, query."""
    processes, released, between = [], [], []
    for _ in range(3):
        processes.append(await in_thread(process_id))
        async with release_connections() as given_back:
            released.append(list(given_back.released))
            between.append(await in_thread(opened))
    return found(processes=processes, released=released, between=between)


async def several(request: HttpRequest) -> HttpResponse:
    """Connect to two databases and release those of ?using=."""
    await in_thread(process_id)
    await in_thread(process_id, "second")
    asked: Any = request.GET.getlist("using") or None
    if asked and len(asked) == 1:
        asked = asked[0]
    async with release_connections(using=asked) as given_back:
        return found(released=list(given_back.released), opened=await in_thread(opened))


async def untouched(request: HttpRequest) -> HttpResponse:
    """Release without any query; ?using= names an alias."""
    async with release_connections(using=request.GET.get("using")) as given_back:
        return found(released=list(given_back.released))


async def makes_nothing(_request: HttpRequest) -> HttpResponse:
    """Release all after a query in one: the others need no connection object."""
    await in_thread(process_id)
    async with release_connections():
        return found(made=await in_thread(made))


async def in_memory(_request: HttpRequest) -> HttpResponse:
    """Release SQLite, which is in memory unless ISOLATION_SQLITE says otherwise."""
    await in_thread(lambda: connections["file"].ensure_connection())
    async with release_connections() as given_back:
        return found(released=list(given_back.released), opened=await in_thread(opened))


def from_a_sync_view(_request: HttpRequest) -> HttpResponse:
    """Release over the bridge: the connection belongs to the thread that waits."""
    first = process_id()

    async def wait() -> tuple[str, ...]:
        async with release_connections() as given_back:
            return given_back.released

    released = async_to_sync(wait)()
    return found(released=list(released), opened=opened(), again=process_id() != first)


async def frees_cursors(_request: HttpRequest) -> HttpResponse:
    """Query without the collector, and see whether the cursors are gone."""

    def query() -> list[Any]:
        cursors = []
        for _ in range(20):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                cursors.append(weakref.ref(cursor))
        return cursors

    gc.disable()
    try:
        cursors = await in_thread(query)
        # The variable of the last one ended with its function.
        return found(left=sum(cursor() is not None for cursor in cursors))
    finally:
        gc.enable()


VIEWS = (again, several, untouched, makes_nothing, in_memory, from_a_sync_view, frees_cursors)
