"""Clients of the module, used on a new event loop each time."""

from __future__ import annotations

import asyncio

import httpx
import redis.asyncio
from asgiref.sync import async_to_sync
from celery import shared_task
from django.http import HttpResponse
from django.urls import path

client = httpx.AsyncClient()  # FL407
store = redis.asyncio.Redis()  # FL407


async def rates():
    return await client.get("http://rates.test")


async def kept():
    return await deeper()


async def deeper():
    return await store.get("rates")


def menu(request):
    asyncio.run(rates())
    return HttpResponse("soup")


@shared_task
def refresh():
    run_it()


def run_it():
    async_to_sync(kept)()


urlpatterns = [path("menu/", menu)]
