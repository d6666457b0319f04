"""Queries: quick, slow, many; through the ORM, its adapters, and an async driver beside it."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse

from kitchen import driver
from kitchen.asked import asked_ms
from kitchen.models import MenuItem
from kitchen.sleeping import Sleep

DEFAULT_MS = 50
DISH = 7
TEN = range(1, 11)
THREE = range(1, 4)
QUICK_SQL = "SELECT name, price_cents FROM kitchen_menuitem WHERE id = %s"
SLOW_SQL = "SELECT name, price_cents, pg_sleep(%s) FROM kitchen_menuitem WHERE id = %s"


def quick_sync(request: HttpRequest) -> JsonResponse:
    return _answer(MenuItem.objects.get(pk=DISH))


async def quick_async(request: HttpRequest) -> JsonResponse:
    return _answer(await MenuItem.objects.aget(pk=DISH))


async def quick_adapter_async(request: HttpRequest) -> JsonResponse:
    return _answer(await sync_to_async(MenuItem.objects.get)(pk=DISH))


async def quick_driver_async(request: HttpRequest) -> HttpResponse:
    return await _through_driver(request, QUICK_SQL, (DISH,))


def slow_sync(request: HttpRequest) -> JsonResponse:
    return _answer(_slow(request).get(pk=DISH))


async def slow_async(request: HttpRequest) -> JsonResponse:
    return _answer(await _slow(request).aget(pk=DISH))


async def slow_adapter_async(request: HttpRequest) -> JsonResponse:
    return _answer(await sync_to_async(_slow(request).get)(pk=DISH))


async def slow_driver_async(request: HttpRequest) -> HttpResponse:
    seconds = asked_ms(request, DEFAULT_MS) / 1000
    return await _through_driver(request, SLOW_SQL, (seconds, DISH))


def ten_sync(request: HttpRequest) -> JsonResponse:
    return _answer(*_get_ten())


async def ten_async(request: HttpRequest) -> JsonResponse:
    """Ten awaits, ten times to the request's thread and back."""
    return _answer(*[await MenuItem.objects.aget(pk=pk) for pk in TEN])


async def ten_adapter_async(request: HttpRequest) -> JsonResponse:
    """Ten queries behind one adapter: to the thread and back once."""
    return _answer(*await sync_to_async(_get_ten)())


def three_sync(request: HttpRequest) -> JsonResponse:
    return _answer(*[_slow(request).get(pk=pk) for pk in THREE])


async def three_async(request: HttpRequest) -> JsonResponse:
    return _answer(*[await _slow(request).aget(pk=pk) for pk in THREE])


async def three_gathered_async(request: HttpRequest) -> JsonResponse:
    """Gathered, and still one after the other: all go through the request's one thread."""
    dishes = await asyncio.gather(*(_slow(request).aget(pk=pk) for pk in THREE))
    return _answer(*dishes)


def _slow(request: HttpRequest) -> QuerySet[MenuItem]:
    return MenuItem.objects.annotate(slept=Sleep(asked_ms(request, DEFAULT_MS) / 1000))


def _get_ten() -> list[MenuItem]:
    return [MenuItem.objects.get(pk=pk) for pk in TEN]


def _answer(*dishes: MenuItem) -> JsonResponse:
    return JsonResponse({"dishes": [[dish.name, dish.price_cents] for dish in dishes]})


async def _through_driver(
    request: HttpRequest, sql: str, parameters: tuple[object, ...]
) -> HttpResponse:
    if not driver.available():
        return HttpResponse(
            "The asynchronous driver needs PostgreSQL: set CAFE_DATABASE_URL.",
            status=501,
            content_type="text/plain; charset=utf-8",
        )
    async with driver.connection(request) as connection:
        cursor = await connection.execute(sql, parameters)
        name, price_cents, *_ = (await cursor.fetchall())[0]
    return JsonResponse({"dishes": [[name, price_cents]]})
