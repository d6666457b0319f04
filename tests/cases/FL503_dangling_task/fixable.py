"""Tasks that are started by a statement with a line of its own."""

import asyncio


async def work(task):
    await asyncio.sleep(0)


async def view(request):
    asyncio.create_task(work(1))  # FL503
    if request is None:
        loop = asyncio.get_running_loop()
        loop.create_task(  # FL503
            work(2),
            name="two",
        )  # at last
    return None
