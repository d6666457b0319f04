"""Views that do the one thing that their name says."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth import aauthenticate, alogin
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt

from freeloop.relief import request_thread
from tests.relief.safety.project.told import let_go, said


async def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"hello {request.method}")


def hello_sync(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"hello {request.method} in a thread")


async def wait(request: HttpRequest) -> HttpResponse:
    said.append("waiting")
    while not let_go.is_set():
        await asyncio.sleep(0.01)
    return HttpResponse("waited")


async def query(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{await User.objects.acount()} users")


def query_sync(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{User.objects.count()} users")


async def two_queries(request: HttpRequest) -> HttpResponse:
    said.append(await sync_to_async(threading.get_ident)())
    await User.objects.acount()
    await asyncio.sleep(0)
    names = [user.username async for user in User.objects.order_by("pk")]
    said.append(await sync_to_async(threading.get_ident)())
    return HttpResponse(", ".join(names))


async def leaves_a_task(request: HttpRequest) -> HttpResponse:
    said.append(await sync_to_async(threading.get_ident)())
    said.append(asyncio.create_task(_go_on()))
    return HttpResponse("left")


async def _go_on() -> int:
    # Until the response has been closed, and somewhat longer.
    for calls in range(1_000_000):
        await sync_to_async(threading.get_ident)()
        if let_go.is_set():
            return calls
        await asyncio.sleep(0)
    raise AssertionError("the response was never closed")


async def blocked_in_thread(request: HttpRequest) -> HttpResponse:
    await sync_to_async(_work)()
    return HttpResponse("never read")


def _work() -> None:
    User.objects.count()
    said.append(("began", threading.get_ident()))
    let_go.wait(20)
    said.append(("ended", threading.get_ident()))


async def page(request: HttpRequest) -> TemplateResponse:
    return TemplateResponse(request, "page.html")


def page_sync(request: HttpRequest) -> TemplateResponse:
    return TemplateResponse(request, "page.html")


async def visits(request: HttpRequest) -> HttpResponse:
    """Writes the session."""
    count = await request.session.aget("visits", 0) + 1
    await request.session.aset("visits", count)
    return HttpResponse(f"visit {count}")


async def reads_session(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"visits {await request.session.aget('visits', 0)}")


async def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"you are {await request.auser()}")


def who_sync(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"you are {request.user}")


@csrf_exempt
async def log_in(request: HttpRequest) -> HttpResponse:
    user = await aauthenticate(request, username="anna", password="secret")
    assert user is not None
    await alogin(request, user)
    return HttpResponse("in")


async def adds_message(request: HttpRequest) -> HttpResponse:
    messages.info(request, "well done")
    return HttpResponse("added")


async def language(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{translation.get_language()} {translation.gettext('Yes')}")


async def sets_context(request: HttpRequest) -> HttpResponse:
    translation.activate("fr")
    timezone.activate("Europe/Prague")
    request.urlconf = "tests.relief.safety.project.urls"
    return HttpResponse("set")


async def caches(request: HttpRequest) -> HttpResponse:
    await cache.aset("key", "value")
    return HttpResponse(await cache.aget("key"))


async def long_text(request: HttpRequest) -> HttpResponse:
    return HttpResponse("0123456789" * int(request.GET.get("times", "100")))


async def with_etag(request: HttpRequest) -> HttpResponse:
    return HttpResponse("tagged", headers={"ETag": '"tag"'})


async def sets_cookie(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("cookie")
    response.set_cookie("taste", "sweet", max_age=60)
    return response


async def json(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"items": [1, 2, 3]})


async def own_headers(request: HttpRequest) -> HttpResponse:
    return HttpResponse("own", headers={"X-Frame-Options": "SAMEORIGIN", "Vary": "Origin"})


async def missing(request: HttpRequest) -> HttpResponse:
    raise Http404("not here")


async def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


async def bad(request: HttpRequest) -> HttpResponse:
    raise BadRequest("bad")


async def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation("odd")


async def fails(request: HttpRequest) -> HttpResponse:
    raise ValueError("the view fails")


def fails_sync(request: HttpRequest) -> HttpResponse:
    raise ValueError("the sync view fails")


async def nothing(request: HttpRequest) -> None:
    """Forgets its answer."""


async def query_then_fails(request: HttpRequest) -> HttpResponse:
    await User.objects.acount()
    raise ValueError("after a query")


@csrf_exempt
async def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body, content_type="application/octet-stream")


async def form(request: HttpRequest) -> HttpResponse:
    """Not exempt: a POST needs its token."""
    return HttpResponse(repr(sorted(request.POST.items())).replace("csrfmiddlewaretoken", "token"))


@csrf_exempt
async def upload(request: HttpRequest) -> HttpResponse:
    file: Any = request.FILES["file"]
    said.append(file)
    return HttpResponse(f"{type(file).__name__} {file.size}")


async def file(request: HttpRequest) -> FileResponse:
    opened = Path(__file__).with_name("views.py").open("rb")
    said.append(opened)
    return FileResponse(opened)


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[bytes]:
        try:
            for number in range(3):
                yield b"part %d\n" % number
                await asyncio.sleep(0)
        finally:
            said.append("closed")

    return StreamingHttpResponse(parts())


async def stream_sync(request: HttpRequest) -> StreamingHttpResponse:
    class Parts:
        def __iter__(self) -> Iterator[bytes]:
            for number in range(3):
                yield b"part %d\n" % number

        def close(self) -> None:
            said.append(("closed", threading.get_ident()))

    return StreamingHttpResponse(Parts())


async def endless(request: HttpRequest) -> StreamingHttpResponse:
    """Queries, then streams until the client goes away."""
    await User.objects.acount()

    async def parts() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"more\n"
                await asyncio.sleep(0)
        finally:
            said.append("closed")

    return StreamingHttpResponse(parts())


async def closed_streams(request: HttpRequest) -> HttpResponse:
    """How many streams were closed in this process."""
    return HttpResponse(f"{said.count('closed')}")


async def with_closer(request: HttpRequest) -> Any:
    """Something is to be closed with the answer."""
    response: Any = HttpResponse("closes")
    response._resource_closers.append(lambda: said.append(("closer", threading.get_ident())))
    return response


class OwnClose(HttpResponse):
    """A response with a `close` of its own."""

    def close(self) -> None:
        """Say so first."""
        said.append(("close", threading.get_ident()))
        super().close()


async def own_close(request: HttpRequest) -> HttpResponse:
    return OwnClose("closes itself")


async def tells_relief(request: HttpRequest) -> HttpResponse:
    """Differs in what the query names, so that VERIFY has something to find."""
    said.append(request.method)
    who = "eased" if request_thread.relieved() else "stock"
    match request.META["QUERY_STRING"]:
        case "status":
            return HttpResponse(status=201 if who == "eased" else 200)
        case "headers":
            return HttpResponse(headers={"X-Who": who})
        case "cookies":
            response = HttpResponse()
            response.set_cookie(who, "1")
            return response
        case "random":
            return HttpResponse(secrets.token_hex())
        case "length":
            return HttpResponse(who * 300_000)
        case _:
            return HttpResponse(who)
