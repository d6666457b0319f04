"""The lazy user, looked at on the event loop."""

from __future__ import annotations


async def view(request):
    if request.user.is_authenticated:  # FL112
        return request.user.username


async def deep(request):
    return may_order(request)


def may_order(request):
    return request.user.has_perm("order")  # FL112
