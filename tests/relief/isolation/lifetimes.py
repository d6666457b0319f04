"""Views that leave something running, and note what it finds: facts to compare with stock."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

from asgiref.local import Local
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix, get_urlconf
from django.utils import timezone, translation

from tests.relief.isolation.marks import mark_of, notebook

_variable: ContextVar[str] = ContextVar("left", default="unset")
_local = Local()
_running: set[asyncio.Task[None]] = set()


async def gathers(request: HttpRequest) -> HttpResponse:
    """Three children at once, each with changes of its own."""
    mark = mark_of(request)
    _write("parent")
    parent_thread = await sync_to_async(threading.current_thread)()

    async def child(name: str) -> dict[str, Any]:
        before = _read()
        _write(name)
        await asyncio.sleep(0.002)
        thread = await sync_to_async(threading.current_thread)()
        in_thread = await sync_to_async(_read)()
        return {
            "before": before,
            "after": _read(),
            "in thread": in_thread,
            "the parent's thread": thread is parent_thread,
        }

    children = await asyncio.gather(*(child(f"child {n}") for n in range(3)))
    _note("gather", {"children": children, "parent": _read()})
    return HttpResponse(mark.text)


async def outlived(request: HttpRequest) -> HttpResponse:
    """Leave two tasks behind, one that hopped before and one that did not."""
    mark = mark_of(request)
    _write("request")
    thread = None
    if request.headers["X-Steps"] != "[]":
        thread = await sync_to_async(threading.current_thread)()
        await sync_to_async(_backend)()
    ended = asyncio.Event()
    for name in ("first", "second"):
        task = asyncio.create_task(_left_behind(name, thread, ended))
        _running.add(task)
        task.add_done_callback(_running.discard)
    # Long after the request: its end is a matter of milliseconds.
    asyncio.get_running_loop().call_later(0.1, ended.set)
    return HttpResponse(mark.text)


async def elsewhere(request: HttpRequest) -> HttpResponse:
    """Read in threads that are not the request's."""
    mark = mark_of(request)
    _write("request")
    loop = asyncio.get_running_loop()
    plain: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: plain.append(_read()))
    thread.start()
    await loop.run_in_executor(None, thread.join)
    insensitive = await sync_to_async(_read, thread_sensitive=False)()
    _note(
        "elsewhere",
        {
            "to_thread": await asyncio.to_thread(_read),
            "executor": await loop.run_in_executor(None, _read),
            "thread": plain[0],
            "not thread-sensitive": insensitive,
            "task": await asyncio.create_task(_reads()),
            "bridge": await sync_to_async(async_to_sync(_reads))(),
        },
    )
    return HttpResponse(mark.text)


async def settled() -> None:
    """Wait for all that was left behind."""
    while _running:
        await asyncio.gather(*_running)


async def _left_behind(name: str, thread: Any, ended: asyncio.Event) -> None:
    await ended.wait()
    try:
        await _look_around(name, thread)
    except RuntimeError as error:
        # Under a sync middleware the task inherited an executor that has quit.
        _note(name, {"sees": _read(), "the request's thread": False, "cannot hop": str(error)})


async def _look_around(name: str, thread: Any) -> None:
    first = await sync_to_async(threading.current_thread)()
    again = await sync_to_async(threading.current_thread)()
    pid = await sync_to_async(_backend)()
    # Asked for in the thread: the loop's connection is another.
    await sync_to_async(lambda: connection.close())()
    _note(
        name,
        {
            "sees": _read(),
            "in thread": await sync_to_async(_read)(),
            "the request's thread": first is thread,
            "the same thread again": first is again,
            "can query": pid > 0,
        },
    )


async def _reads() -> dict[str, Any]:
    return _read()


def _backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _write(name: str) -> None:
    _variable.set(name)
    _local.left = name
    translation.activate({"parent": "de", "request": "de", "child 0": "fr"}.get(name, "es"))
    timezone.activate({"parent": "Asia/Tokyo", "child 0": "Europe/Paris"}.get(name, "UTC"))


def _read() -> dict[str, Any]:
    return {
        "contextvar": _variable.get(),
        "Local": getattr(_local, "left", None),
        "language": translation.get_language(),
        "time zone": str(timezone.get_current_timezone()),
        "script prefix": get_script_prefix().partition("-")[0],
        "urlconf": str(get_urlconf()).rstrip("abc"),
    }


def _note(name: str, facts: Any) -> None:
    notebook.facts[name] = facts
