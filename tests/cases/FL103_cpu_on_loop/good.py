"""Hashing in a thread."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from django.contrib.auth.hashers import check_password


async def in_thread(request):
    return await asyncio.to_thread(check_password, "typed", "stored")


async def in_the_thread_of_the_request(request):
    return await sync_to_async(check_password)("typed", "stored")


def sync_view(request):
    return check_password("typed", "stored")
