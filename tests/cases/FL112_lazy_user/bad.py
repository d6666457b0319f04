"""The lazy user, looked at on the event loop."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.http import HttpRequest


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


async def maybe_signed_in(request):
    if request.GET:
        return False
    return await sync_to_async(lambda: request.user.is_authenticated)()


async def perhaps_loaded_by_what_is_awaited(request):
    await maybe_signed_in(request)
    return request.user.id  # FL112


async def signed_in(request):
    return await sync_to_async(lambda: request.user.is_authenticated)()


async def loaded_of_another(request, other):
    await signed_in(other)
    return request.user.id  # FL112


async def not_waited_for(request):
    check = signed_in(request)
    return request.user.id, await check  # FL112


async def of_another_request(request, following):
    await signed_in(request)
    request: HttpRequest = following(request)
    return request.user.id  # FL112


def is_staff(request):
    if request.GET:
        return False
    return request.user.is_staff


async def perhaps_loaded_by_a_function_in_a_thread(request):
    await sync_to_async(is_staff)(request)
    return request.user.id  # FL112
