"""Tasks that nobody keeps."""

from __future__ import annotations

import asyncio


async def work():
    await asyncio.sleep(0)


async def view(request):
    asyncio.create_task(work())  # FL503
    asyncio.ensure_future(work())  # FL503
    loop = asyncio.get_running_loop()
    loop.create_task(work())  # FL503


async def imported(request):
    from asyncio import create_task

    create_task(work())  # FL503
