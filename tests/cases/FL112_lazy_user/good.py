"""The user, loaded by an await."""

from __future__ import annotations


async def view(request):
    user = await request.auser()
    return user.is_authenticated


async def passes_on(request):
    return await greet(request.user)


async def greet(user):
    return user


def sync_view(request):
    return request.user.is_authenticated
