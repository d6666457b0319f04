"""Views that never wait: what a request costs before it does anything."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse


def hello_sync(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Welcome to the café!")


async def hello_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Welcome to the café!")


def health(request: HttpRequest) -> HttpResponse:
    """The light neighbour: what other guests notice while a heavy view is served."""
    return HttpResponse("open")
