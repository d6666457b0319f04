"""Hashing on the event loop."""

from __future__ import annotations

from django.contrib.auth.hashers import acheck_password, check_password, make_password


async def sync_hash(request):
    return check_password("typed", "stored")  # FL103


async def deep(request):
    return sign_up("typed")


def sign_up(typed):
    return make_password(typed)  # FL103


async def only_looks_async(request):
    return await acheck_password("typed", "stored")  # FL103
