"""Streams that fit their server."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse


def rows():
    yield "one"


async def rows_async():
    yield "one"


async def view(request):
    return StreamingHttpResponse(rows_async())


def sync_view(request):
    return StreamingHttpResponse(rows())


async def whole(request):
    return HttpResponse(rows())
