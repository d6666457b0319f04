"""Two views that do nothing, and some that do what costs a hop."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from types import FrameType

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt


async def async_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"async")


async def held_view(request: HttpRequest) -> HttpResponse:
    """Tell how many threads are inside of a hop while this runs."""
    held = 0
    for frame in sys._current_frames().values():
        inner: FrameType | None = frame
        while inner is not None and inner.f_code.co_name != "thread_handler":
            inner = inner.f_back
        held += inner is not None
    return HttpResponse(str(held))


def sync_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"sync")


async def session_view(request: HttpRequest) -> HttpResponse:
    request.session["seen"] = True
    return HttpResponse(b"written")


async def message_view(request: HttpRequest) -> HttpResponse:
    messages.info(request, "said")
    return HttpResponse(b"said")


async def long_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"long" * 2048)


async def stream_view(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"part"

    return StreamingHttpResponse(parts())


async def missing_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"nothing", status=404)


@method_decorator(csrf_exempt, name="dispatch")
class Exempt(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(b"exempt")


urlpatterns = [
    path("async/", async_view, name="async"),
    path("held/", held_view),
    path("sync/", sync_view, name="sync"),
    path("session/", session_view),
    path("message/", message_view),
    path("long/", long_view),
    path("stream/", stream_view),
    path("missing/", missing_view),
    path("exempt/", Exempt.as_view()),
]
