"""Views that query and then only wait: for a second, or as an open event stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from freeloop.relief import release_connections
from tests.relief.releasing.answers import in_thread, process_id


async def query_then_wait(request: HttpRequest) -> HttpResponse:
    """One query, then ?s= seconds; as Django has it."""
    await in_thread(process_id)
    await asyncio.sleep(float(request.GET["s"]))
    return HttpResponse("waited")


async def query_release_wait(request: HttpRequest) -> HttpResponse:
    """The same, with the connection given back."""
    await in_thread(process_id)
    async with release_connections():
        await asyncio.sleep(float(request.GET["s"]))
    return HttpResponse("waited")


async def stream(_request: HttpRequest) -> StreamingHttpResponse:
    """One query, then events until the client goes away."""
    await in_thread(process_id)
    return StreamingHttpResponse(_events(), content_type="text/event-stream")


async def released_stream(_request: HttpRequest) -> StreamingHttpResponse:
    """The same, with the connection given back."""
    await in_thread(process_id)
    async with release_connections():
        return StreamingHttpResponse(_events(), content_type="text/event-stream")


async def _events() -> AsyncIterator[str]:
    while True:
        yield "data: still here\n\n"
        await asyncio.sleep(0.5)


VIEWS = (query_then_wait, query_release_wait, stream, released_stream)
