"""The user, loaded by an await."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async


async def view(request):
    user = await request.auser()
    return user.is_authenticated


async def passes_on(request):
    return await greet(request.user)


async def greet(user):
    return user


def sync_view(request):
    return request.user.is_authenticated


async def loaded_in_a_thread(request):
    if request and await sync_to_async(lambda: request.user.is_authenticated)():
        return request.user.id


async def loaded_by_a_function(request):
    def signed_in():
        return request.user.is_authenticated

    await asyncio.to_thread(signed_in)
    return request.user.id


async def signed_in(who):
    if await sync_to_async(lambda: who.user.is_authenticated)():
        return True
    return False


async def loaded_by_what_is_awaited(request):
    if not await signed_in(who=request):
        return None
    return request.user.id


def is_staff(user):
    return user.is_staff


async def loaded_by_a_function_in_a_thread(request):
    await sync_to_async(is_staff)(request.user)
    return request.user.id


async def asks_an_old_django(request):
    if callable(getattr(request, "auser", None)):
        user = await request.auser()
    else:
        user = request.user
    return user.is_authenticated


async def is_switched_off(request):
    return None
    return request.user.id
