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
