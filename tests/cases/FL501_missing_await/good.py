"""Coroutines that are awaited, scheduled or passed on."""

from __future__ import annotations

import asyncio

from asgiref.sync import async_to_sync, sync_to_async


async def work():
    await asyncio.sleep(0)


@sync_to_async
def offloaded():
    pass


@async_to_sync
async def entered():
    await asyncio.sleep(0)


class Kitchen:
    def cook(self):
        return 1


class AsyncKitchen:
    async def cook(self):
        await asyncio.sleep(0)


async def view(request):
    await work()
    await offloaded()
    task = asyncio.create_task(work())
    await task
    await asyncio.gather(work(), work())
    Kitchen().cook()
    coroutine = work()
    await coroutine
    async with asyncio.TaskGroup() as group:
        group.create_task(work())


def passes_on():
    return work()


async def returns_it(request):
    return await passes_on()


def sync_view(request):
    entered()


async def events():
    yield 1
