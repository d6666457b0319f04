"""Views that take the steps a plan asks for, and look around after each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import AsyncToSync, async_to_sync, sync_to_async
from django.contrib import messages
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils import timezone, translation

from freeloop.relief import installed_parts, release_connections
from tests.relief.isolation.marks import (
    ANYWHERE,
    CHOSEN,
    CONNECTION,
    IN_THREAD,
    Mark,
    mark_of,
    notebook,
    write,
)

HOP_S = 0.002
SLOW_S = 0.03


class Planned(Exception):  # noqa: N818 - an event of the plan
    """Raised because the plan says so."""


async def takes_steps(request: HttpRequest) -> HttpResponse:
    """An async view."""
    mark = mark_of(request)
    await _arrive(request, mark)
    for step in _steps(request):
        await _take(step, request, mark)
        await _look(mark, f"view after {step}")
    get_token(request)
    return HttpResponse(mark.text)


def steps_over_a_bridge(request: HttpRequest) -> HttpResponse:
    """A sync view that goes back to the event loop for its steps."""
    return async_to_sync(takes_steps)(request)


def stays_in_its_thread(request: HttpRequest) -> HttpResponse:
    """A sync view; its steps are as many looks."""
    mark = mark_of(request)
    everything = (*ANYWHERE, *IN_THREAD, *CONNECTION)
    notebook.arrive(mark, "sync view")
    notebook.look(mark, "sync view at first", (*everything, *CHOSEN), written=False)
    write(mark, everything)
    for step in _steps(request):
        time.sleep(HOP_S)
        if step == "raise":
            raise Planned
        notebook.look(mark, f"sync view after {step}", everything, written=True)
    _check_user(request, mark, request.user)
    return HttpResponse(mark.text)


async def streams(request: HttpRequest) -> StreamingHttpResponse:
    """An answer that goes on after the middleware; what is left in it is looked for there."""
    mark = mark_of(request)
    await _arrive(request, mark)
    if getattr(AsyncToSync.executors, "current", None) is not None:
        notebook.over_bridges.add(mark.text)

    async def chunks() -> AsyncIterator[str]:
        for step in _steps(request):
            await _take(step, request, mark)
            await _look(mark, f"stream after {step}")
            yield "."
        yield mark.text

    return StreamingHttpResponse(chunks())


async def _arrive(request: HttpRequest, mark: Mark) -> None:
    notebook.look(mark, "view at first", (*ANYWHERE, *CHOSEN), written=False)
    if urlconf := getattr(request, "urlconf", None):
        if urlconf != mark.urlconf:
            notebook.complain(mark, "view", f"has urlconf {urlconf}")
        if reverse("steps") != f"{mark.prefix}{urlconf[-1]}/steps/":
            notebook.complain(mark, "view", f"reverses to {reverse('steps')}")
    write(mark, ANYWHERE)


async def _look(mark: Mark, where: str) -> None:
    notebook.look(mark, where, ANYWHERE, written=True)
    notebook.look(mark, where, CHOSEN, written=False)


async def _hop(mark: Mark, where: str, seconds: float = HOP_S) -> None:
    def in_thread() -> None:
        notebook.arrive(mark, where)
        notebook.look(mark, where, IN_THREAD, written=False)
        write(mark, IN_THREAD)
        time.sleep(seconds)
        notebook.look(mark, where, (*ANYWHERE, *IN_THREAD), written=True)

    await sync_to_async(in_thread)()


def _query(mark: Mark) -> None:
    notebook.arrive(mark, "query")
    notebook.look(mark, "query at first", CONNECTION, written=False)
    write(mark, CONNECTION)
    notebook.look(mark, "query", CONNECTION, written=True)


def _insert(mark: Mark, *, keep: bool) -> None:
    notebook.arrive(mark, "transaction")
    if connection.in_atomic_block:
        notebook.complain(mark, "transaction", "is in a transaction that it did not open")
    with contextlib.suppress(Planned), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kept_marks VALUES (%s, %s)", ["kept" if keep else "lost", mark.text]
        )
        time.sleep(HOP_S)
        if not keep:
            raise Planned


async def _child(mark: Mark) -> None:
    await _look(mark, "child task")
    await _hop(mark, "child task")
    # A task has a context of its own: this is not the parent's.
    translation.activate(mark.asked_language)
    timezone.deactivate()
    await asyncio.sleep(0)


async def _overrides(mark: Mark) -> None:
    with translation.override("ja"), timezone.override("Asia/Tokyo"):
        await _hop_with(mark, "ja")
        await asyncio.sleep(HOP_S)
        if translation.get_language() != "ja":
            notebook.complain(mark, "override", f"speaks {translation.get_language()}")


async def _hop_with(mark: Mark, language: str) -> None:
    def in_thread() -> tuple[str | None, str]:
        notebook.arrive(mark, "override")
        return translation.get_language(), str(timezone.get_current_timezone())

    if (seen := await sync_to_async(in_thread)()) != (language, "Asia/Tokyo"):
        notebook.complain(mark, "override", f"sees {seen} in the thread")


async def _session(request: Any, mark: Mark) -> None:
    if not hasattr(request, "session"):
        return
    if (owner := await request.session.aget("owner")) != mark.visitor:
        notebook.complain(mark, "session", f"has the session of {owner}")
    await request.session.aset("last", mark.text)
    await asyncio.sleep(HOP_S)
    if (last := await request.session.aget("last")) != mark.text:
        notebook.complain(mark, "session", f"reads {last} in its session")


async def _message(request: Any, mark: Mark) -> None:
    if hasattr(request, "_messages"):
        await sync_to_async(messages.info)(request, mark.text)


async def _read_messages(request: Any, mark: Mark) -> None:
    if hasattr(request, "_messages"):
        found = await sync_to_async(
            lambda: [str(each) for each in messages.get_messages(request)]
        )()
        if strange := [each for each in found if not each.startswith(f"{mark.visitor}-")]:
            notebook.complain(mark, "messages", f"reads {strange}")


async def _user(request: Any, mark: Mark) -> None:
    if hasattr(request, "auser"):
        _check_user(request, mark, await request.auser())


def _check_user(request: Any, mark: Mark, user: Any) -> None:
    if hasattr(request, "auser") and user.get_username() != f"visitor {mark.visitor}":
        notebook.complain(mark, "user", f"is {user.get_username()!r}")


async def _raises_in_thread(mark: Mark) -> None:
    def in_thread() -> None:
        notebook.arrive(mark, "error")
        raise Planned

    with contextlib.suppress(Planned):
        await sync_to_async(in_thread)()


async def _bridge(mark: Mark) -> None:
    def in_thread() -> None:
        notebook.arrive(mark, "bridge")
        async_to_sync(_hop)(mark, "bridge and back")

    await sync_to_async(in_thread)()


async def _release() -> None:
    if not installed_parts():
        return
    async with release_connections():
        await asyncio.sleep(0)


async def _take(step: str, request: HttpRequest, mark: Mark) -> None:  # noqa: C901 - a table
    match step:
        case "sleep":
            await asyncio.sleep(HOP_S)
        case "tick":
            await asyncio.sleep(0)
        case "hop":
            await _hop(mark, "hop")
        case "slow hop":
            await _hop(mark, "slow hop", SLOW_S)
        case "other thread":
            await asyncio.to_thread(time.sleep, HOP_S)
        case "gather":
            await asyncio.gather(*(_child(mark) for _ in range(3)))
        case "bridge":
            await _bridge(mark)
        case "override":
            await _overrides(mark)
        case "query":
            await sync_to_async(_query)(mark)
        case "commit":
            await sync_to_async(_insert)(mark, keep=True)
        case "roll back":
            await sync_to_async(_insert)(mark, keep=False)
        case "release":
            await _release()
        case "session":
            await _session(request, mark)
        case "message":
            await _message(request, mark)
        case "read messages":
            await _read_messages(request, mark)
        case "user":
            await _user(request, mark)
        case "error in thread":
            await _raises_in_thread(mark)
        case "raise":
            raise Planned
        case "wait to be disturbed":
            notebook.arrival(mark).set()
            await asyncio.sleep(SLOW_S)
        case _:
            raise AssertionError(step)


def _steps(request: HttpRequest) -> list[str]:
    steps: list[str] = json.loads(request.headers["X-Steps"])
    return steps


VIEWS: dict[str, Any] = {
    "steps": takes_steps,
    "bridge": steps_over_a_bridge,
    "sync": stays_in_its_thread,
    "stream": streams,
}
