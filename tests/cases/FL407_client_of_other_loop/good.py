"""Clients of one loop, of one call, or of a process that runs one loop."""

from __future__ import annotations

import asyncio

import httpx
from asgiref.sync import async_to_sync
from celery import shared_task
from django.core.management.base import BaseCommand
from django.http import HttpResponse
from django.urls import path

client = httpx.AsyncClient()
plain = httpx.Client()


async def view(request):
    return HttpResponse((await client.get("http://rates.test")).text)


async def fresh():
    async with httpx.AsyncClient() as client:
        return await client.get("http://rates.test")


def menu(request):
    asyncio.run(fresh())
    return HttpResponse(plain.get("http://rates.test").text)


def in_the_loop_above(request):
    """Under ASGI `async_to_sync` runs on the server's loop."""
    async_to_sync(rates)()
    return HttpResponse("soup")


async def rates():
    return await client.get("http://rates.test")


@shared_task
def refresh():
    async_to_sync(fresh)()


class Command(BaseCommand):
    def handle(self, **options):
        asyncio.run(rates())


urlpatterns = [path("a/", view), path("menu/", menu), path("above/", in_the_loop_above)]
