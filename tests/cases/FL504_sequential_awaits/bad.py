"""Reads over the network that wait for one another without need."""

from __future__ import annotations

import aiohttp
import httpx

RATES, STOCK, NEWS = "http://rates.test", "http://stock.test", "http://news.test"


async def in_a_row(request, client: httpx.AsyncClient):
    rate = await client.get(RATES)  # FL504
    stock = await client.get(STOCK)
    news = await client.get(NEWS)
    return rate, stock, news


async def of_helpers(request, session: aiohttp.ClientSession):
    rate = await fetch(session, RATES)  # FL504
    stock = await fetch(session, STOCK)
    return rate, stock


async def fetch(session: aiohttp.ClientSession, url: str):
    async with session.get(url) as answer:
        return await answer.json()


async def in_a_comprehension(request, client: httpx.AsyncClient):
    return [await client.get(url) for url in (RATES, STOCK)]  # FL504


async def behind_a_condition(request, client: httpx.AsyncClient):
    if request.GET:
        rate = await client.get(RATES)  # FL504
        stock = await client.get(STOCK)
        return rate, stock
    return None
