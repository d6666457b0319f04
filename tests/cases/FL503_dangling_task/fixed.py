"""Tasks that are started by a statement with a line of its own."""

import asyncio


background_tasks = set()


async def work(task):
    await asyncio.sleep(0)


async def view(request):
    background_task = asyncio.create_task(work(1))  # FL503
    background_tasks.add(background_task)
    background_task.add_done_callback(background_tasks.discard)
    if request is None:
        loop = asyncio.get_running_loop()
        background_task = loop.create_task(  # FL503
            work(2),
            name="two",
        )  # at last
        background_tasks.add(background_task)
        background_task.add_done_callback(background_tasks.discard)
    return None
