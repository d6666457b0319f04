"""Awaits that need one another, that change something, or that gain nothing together."""

from __future__ import annotations

import asyncio

import httpx
from django.db import models

RATES, STOCK = "http://rates.test", "http://stock.test"


class Dish(models.Model):
    pass


async def one_needs_the_other(request, client: httpx.AsyncClient):
    rate = await client.get(RATES)
    return await client.get(rate.json()["next"])


async def one_names_the_other(request, client: httpx.AsyncClient):
    first = await client.get(RATES)
    second = await client.get(STOCK, headers={"etag": first.headers["etag"]})
    return second


async def queries(request):
    dish = await Dish.objects.aget(pk=1)
    other = await Dish.objects.aget(pk=2)
    return dish, other


async def query_between(request, client: httpx.AsyncClient):
    rate = await client.get(RATES)
    dish = await Dish.objects.aget(pk=1)
    stock = await client.get(STOCK)
    return rate, dish, stock


async def sends(request, client: httpx.AsyncClient):
    login = await client.post(RATES)
    stock = await client.get(STOCK)
    return login, stock


async def together(request, client: httpx.AsyncClient):
    async with asyncio.TaskGroup() as group:
        rate = group.create_task(client.get(RATES))
        stock = group.create_task(client.get(STOCK))
    return rate.result(), stock.result()


async def leaves_between(request, client: httpx.AsyncClient):
    rate = await client.get(RATES)
    if rate.status_code == 404:
        return None
    stock = await client.get(STOCK)
    return rate, stock


class Kept:
    async def both(self, client: httpx.AsyncClient):
        rate = await self.fetch(client, RATES)
        stock = await self.fetch(client, STOCK)
        return rate, stock

    async def fetch(self, client: httpx.AsyncClient, url: str):
        self.last = await client.get(url)
        return self.last


async def unknown(request, client: httpx.AsyncClient, store):
    rate = await from_store(client, store)
    stock = await from_store(client, store)
    return rate, stock


async def from_store(client: httpx.AsyncClient, store):
    await store.load()
    return await client.get(RATES)


async def of_one_another(request, client: httpx.AsyncClient):
    found = {}
    found["rate"] = await client.get(RATES)
    found["stock"] = await client.get(found["rate"].text)
    return found


async def in_a_loop_that_may_end(request, client: httpx.AsyncClient):
    for url in (RATES, STOCK):
        answer = await client.get(url)
        if answer.status_code == 200:
            return answer
    return None
