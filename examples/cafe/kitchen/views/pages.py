"""Ordinary page work that is CPU, whatever the view is: a template, an export, a password."""

from __future__ import annotations

import asyncio

from django.contrib.auth.hashers import acheck_password, check_password, make_password
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from kitchen.menu import MENU

# Copies of the menu in one export: about 3 ms of CPU, as an ordinary report takes.
BRANCHES = 80
SPECIAL = "soup of the day"


def template_sync(request: HttpRequest) -> HttpResponse:
    return render(request, "kitchen/menu.html", {"dishes": MENU})


async def template_async(request: HttpRequest) -> HttpResponse:
    return render(request, "kitchen/menu.html", {"dishes": MENU})


def export_sync(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"branches": _branches()})


async def export_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"branches": _branches()})


def password_sync(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"guest": check_password("parsley", _guest_list())})


async def password_async(request: HttpRequest) -> JsonResponse:
    """Django's own async function hashes on the event loop: everybody waits."""
    return JsonResponse({"guest": await acheck_password("parsley", _guest_list())})


async def password_thread_async(request: HttpRequest) -> JsonResponse:
    """Hashing lets go of the interpreter lock, so a thread is enough to free the loop."""
    guest = await asyncio.to_thread(check_password, "parsley", _guest_list())
    return JsonResponse({"guest": guest})


def cache_sync(request: HttpRequest) -> JsonResponse:
    special = cache.get_or_set("special", SPECIAL)
    return JsonResponse({"special": special})


async def cache_async(request: HttpRequest) -> JsonResponse:
    """The in-memory cache has no wait to overlap; the async methods hop to a thread for it."""
    special = await cache.aget_or_set("special", SPECIAL)
    return JsonResponse({"special": special})


def _branches() -> list[dict[str, object]]:
    return [
        {
            "branch": branch,
            "menu": [{**dish, "price": f"{dish['price_cents'] / 100:.2f}"} for dish in MENU],
        }
        for branch in range(BRANCHES)
    ]


_GUEST_LIST: list[str] = []


def _guest_list() -> str:
    if not _GUEST_LIST:
        _GUEST_LIST.append(make_password("parsley"))
    return _GUEST_LIST[0]
