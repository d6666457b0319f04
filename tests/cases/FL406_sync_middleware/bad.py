"""Middleware that can only run in a thread."""

from __future__ import annotations

import asyncio

from django.http import HttpResponse
from django.urls import path


class Middleware:
    def __init__(self, get_response):
        self.get_response = get_response


class StampMiddleware:  # FL406
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response["X-Stamp"] = "1"
        return response


class CountMiddleware(Middleware):  # FL406
    def __call__(self, request):
        return self.get_response(request)


def timed(get_response):  # FL406
    def middleware(request):
        return get_response(request)

    return middleware


async def view(request):
    await asyncio.sleep(0.1)
    return HttpResponse("soup")


urlpatterns = [path("a/", view)]
