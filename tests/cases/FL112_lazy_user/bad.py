"""The lazy user, looked at on the event loop."""

from __future__ import annotations

from asgiref.sync import sync_to_async


async def view(request):
    if request.user.is_authenticated:  # FL112
        return request.user.username


async def deep(request):
    return may_order(request)


def may_order(request):
    return request.user.has_perm("order")  # FL112


async def perhaps_loaded(request):
    if request.GET:
        await sync_to_async(lambda: request.user.is_authenticated)()
    return request.user.id  # FL112


async def seldom_loaded(request):
    if request.GET or await sync_to_async(lambda: request.user.is_authenticated)():
        return request.user.id  # FL112
