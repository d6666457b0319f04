"""Middleware of every kind, each passing the request on."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.decorators import async_only_middleware, sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin

GetResponse = Callable[[HttpRequest], Any]


def sync_function(get_response: GetResponse) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        answer: HttpResponse = get_response(request)
        return answer

    return middleware


class SyncClass:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        return None


@async_only_middleware
def async_only(get_response: GetResponse) -> Callable[[HttpRequest], Any]:
    async def middleware(request: HttpRequest) -> Any:
        return await get_response(request)

    return middleware


@sync_and_async_middleware
def either(get_response: GetResponse) -> Callable[[HttpRequest], Any]:
    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> Any:
            return await get_response(request)

        return asynchronous

    def synchronous(request: HttpRequest) -> Any:
        return get_response(request)

    return synchronous


class AsyncView:
    """Async, with a native `process_view` and a sync `process_template_response`."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        from asgiref.sync import markcoroutinefunction

        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> Any:
        return await self.get_response(request)

    async def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        return None

    def process_template_response(self, request: HttpRequest, response: Any) -> Any:
        return response


class Hybrid(MiddlewareMixin):
    """Third party, as most are: both hooks and a view hook."""

    def process_request(self, request: HttpRequest) -> None:
        return None

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        return None

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        return response


class OnlyResponse(MiddlewareMixin):
    def process_response(self, request: HttpRequest, response: Any) -> Any:
        return response


class NoHooks(MiddlewareMixin):
    """Nothing to call: no hop."""


class OwnCall(MiddlewareMixin):
    """Its own `__call__`, which ends in Django's."""

    def __call__(self, request: HttpRequest) -> Any:
        return super().__call__(request)

    def process_request(self, request: HttpRequest) -> None:
        return None


class OwnAcall(MiddlewareMixin):
    """Its own `__acall__`, which calls no hook."""

    async def __acall__(self, request: HttpRequest) -> Any:
        return await self.get_response(request)  # type: ignore[misc]

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        return response


class SubclassOfCommon(CommonMiddleware):
    """Django's hooks, another class."""


class SubclassOfCsrf(CsrfViewMiddleware):
    def process_view(self, request: HttpRequest, *rest: Any) -> Any:
        return super().process_view(request, *rest)


class NotUsed:
    def __init__(self, get_response: GetResponse) -> None:
        raise MiddlewareNotUsed


def makes_djangos(get_response: GetResponse) -> Any:
    """A factory whose product is Django's own, in a sync chain only."""
    return CommonMiddleware(get_response)


def picky(get_response: GetResponse) -> Any:
    """Wants to stand directly above the view, as an order of MIDDLEWARE."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    if not settings.MIDDLEWARE[-1].endswith("picky"):
        raise ImproperlyConfigured("picky has to come last")
    return sync_function(get_response)
