"""Middleware that is async too, that Django adapts step by step, or that is not used."""

from __future__ import annotations

import asyncio

from django.http import HttpResponse
from django.urls import path
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin


class StampMiddleware(MiddlewareMixin):
    def process_response(self, request, response):
        return response


class CountMiddleware:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)


@sync_and_async_middleware
def timed(get_response):
    if asyncio.iscoroutinefunction(get_response):

        async def middleware(request):
            return await get_response(request)

    else:

        def middleware(request):
            return get_response(request)

    return middleware


class UnusedMiddleware:
    def __call__(self, request):
        return None


async def view(request):
    await asyncio.sleep(0.1)
    return HttpResponse("soup")


urlpatterns = [path("a/", view)]
