"""One view for each claim of `benchmarks/relief.py`."""

from __future__ import annotations

import asyncio
import time

from django.contrib.auth import alogin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

GUEST = "guest"


async def hello(request: HttpRequest) -> HttpResponse:
    """Answer at once."""
    return HttpResponse("hello")


def hello_sync(request: HttpRequest) -> HttpResponse:
    """Answer at once, in a thread."""
    return HttpResponse("hello")


async def query(request: HttpRequest) -> HttpResponse:
    """Fetch one row."""
    user = await User.objects.aget(username=GUEST)
    return HttpResponse(user.username)


async def wait(request: HttpRequest) -> HttpResponse:
    """Wait, and nothing else."""
    await asyncio.sleep(int(request.GET["ms"]) / 1000)
    return HttpResponse("waited")


async def log_in(request: HttpRequest) -> HttpResponse:
    """Give the client a session of its own."""
    await alogin(request, await User.objects.aget(username=GUEST))
    return HttpResponse("welcome")


async def visit(request: HttpRequest) -> HttpResponse:
    """Load session and user, and change the session, so that it is saved."""
    user = await request.auser()
    await request.session.aset("seen", time.time())
    return HttpResponse(user.get_username())
