"""Sync iterators in streaming responses of async views."""

from __future__ import annotations

from django.http import StreamingHttpResponse


def rows():
    yield "one"


async def view(request):
    return StreamingHttpResponse(rows())  # FL403


async def named(request):
    return StreamingHttpResponse(streaming_content=rows(), content_type="text/csv")  # FL403


async def deep(request):
    return respond()


def respond():
    return StreamingHttpResponse(rows())  # FL403
