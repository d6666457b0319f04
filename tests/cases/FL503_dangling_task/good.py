"""Tasks that are kept."""

from __future__ import annotations

import asyncio

tasks = set()


async def work():
    await asyncio.sleep(0)


async def view(request):
    task = asyncio.create_task(work())
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def group(request):
    async with asyncio.TaskGroup() as tg:
        tg.create_task(work())


async def awaited(request):
    await asyncio.create_task(work())


class Worker:
    def __init__(self):
        self.task = None

    async def start(self):
        self.task = asyncio.create_task(work())
