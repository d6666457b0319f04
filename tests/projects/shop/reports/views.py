"""One view of each kind that the inspection must tell apart."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import View
from django.views.decorators.cache import never_cache


async def listing(request: HttpRequest) -> HttpResponse:
    """Answer as a coroutine."""
    return HttpResponse("reports")


def sync_listing(request: HttpRequest) -> HttpResponse:
    """Answer as a plain function."""
    return HttpResponse("reports")


async def detail(request: HttpRequest, number: int) -> HttpResponse:
    """Answer with an argument of the path."""
    return HttpResponse(str(number))


class Board(View):
    """Answer as an asynchronous class-based view."""

    async def get(self, request: HttpRequest) -> HttpResponse:
        """Answer GET."""
        return HttpResponse("board")


@never_cache
async def decorated(request: HttpRequest) -> HttpResponse:
    """Answer behind a decorator."""
    return HttpResponse("decorated")


def whoami(request: HttpRequest) -> HttpResponse:
    """Answer with the name of the logged-in user."""
    return HttpResponse(request.user.get_username() or "nobody")
