"""Middleware that does nothing, one for each way of being called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.decorators import async_only_middleware, sync_only_middleware


@sync_only_middleware
def sync_only(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Pass on, in a thread."""

    def middleware(request: HttpRequest) -> Any:
        return get_response(request)

    return middleware


@async_only_middleware
def async_only(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Pass on, on the loop."""

    async def middleware(request: HttpRequest) -> Any:
        return await get_response(request)

    return middleware
