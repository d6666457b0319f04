"""Five courses as server-sent events, 100 ms in all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

from django.http import HttpRequest, StreamingHttpResponse

from kitchen.asked import asked_ms

COURSES = ("bread", "soup", "dumplings", "salad", "cake")
DEFAULT_MS = 100


def stream_sync(request: HttpRequest) -> StreamingHttpResponse:
    """A sync generator: live under WSGI, collected to the end under ASGI."""
    return _response(_courses(asked_ms(request, DEFAULT_MS) / 1000))


async def stream_async(request: HttpRequest) -> StreamingHttpResponse:
    """An async generator: live under ASGI, collected to the end under WSGI."""
    return _response(_courses_async(asked_ms(request, DEFAULT_MS) / 1000))


def _courses(seconds: float) -> Iterator[str]:
    for course in COURSES:
        yield f"data: {course}\n\n"
        time.sleep(seconds / len(COURSES))


async def _courses_async(seconds: float) -> AsyncIterator[str]:
    for course in COURSES:
        yield f"data: {course}\n\n"
        await asyncio.sleep(seconds / len(COURSES))


def _response(courses: Iterator[str] | AsyncIterator[str]) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        courses, content_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )
