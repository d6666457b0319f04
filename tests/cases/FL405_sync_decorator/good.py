"""Decorators that keep an async view async, sync views, and a sync wrapper that is awaited."""

from __future__ import annotations

import asyncio
from functools import wraps

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET


def counted(view):
    if asyncio.iscoroutinefunction(view):

        async def wrapper(request):
            return await view(request)

    else:

        def wrapper(request):
            return view(request)

    return wraps(view)(wrapper)


def only_async(view):
    @wraps(view)
    async def wrapper(request):
        return await view(request)

    return wrapper


def only_sync(view):
    @wraps(view)
    def wrapper(request):
        return view(request)

    return wrapper


def entered(view):
    def wrapper(request):
        return async_to_sync(view)(request)

    return wrapper


def registered(view):
    registry.append(view)
    return view


registry = []


@counted
async def both(request):
    return HttpResponse("soup")


@only_async
@only_sync
async def awaited_outside(request):
    return HttpResponse("soup")


@entered
async def of_a_loop_of_its_own(request):
    return HttpResponse("soup")


@registered
@require_GET
async def kept(request):
    return HttpResponse("soup")


@only_sync
def sync_view(request):
    return HttpResponse("soup")


urlpatterns = [
    path("both/", both),
    path("outside/", awaited_outside),
    path("entered/", of_a_loop_of_its_own),
    path("kept/", kept),
    path("sync/", sync_view),
]
