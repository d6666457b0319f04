"""One view for each case of the hop table."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse


async def hello(request: HttpRequest) -> HttpResponse:
    """Answer at once."""
    return HttpResponse("hello")


def hello_sync(request: HttpRequest) -> HttpResponse:
    """Answer at once, in a thread."""
    return HttpResponse("hello")


async def user(request: HttpRequest) -> HttpResponse:
    """Greet whom the session names."""
    found = await request.auser()
    return HttpResponse(found.get_username())


async def error(request: HttpRequest) -> HttpResponse:
    """Leave with what nobody catches."""
    raise RuntimeError("on purpose")


async def query(request: HttpRequest) -> HttpResponse:
    """Make one query."""
    return HttpResponse(str(await User.objects.acount()))


async def cached(request: HttpRequest) -> HttpResponse:
    """Make one call of the cache."""
    return HttpResponse(str(await cache.aget("nothing")))


async def session(request: HttpRequest) -> HttpResponse:
    """Make one call of the session."""
    return HttpResponse(str(await request.session.aget("nothing")))
