"""Nothing holds the loop here, and still requests wait or work gets lost."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import async_to_sync, sync_to_async
from django.http import HttpRequest, HttpResponse

from tests.watch.site.planted import holds

OK = "done"
_left: set[asyncio.Task[None]] = set()


@holds("serialised")
async def gathered_in_one_thread(request: HttpRequest, pk: int) -> HttpResponse:
    def query() -> None:
        time.sleep(0.1)  # HERE gathered_in_one_thread

    await asyncio.gather(*(sync_to_async(query)() for _ in range(4)))
    return HttpResponse(OK)


@holds("executor-queue")
async def default_executor_full(request: HttpRequest, pk: int) -> HttpResponse:
    def read() -> None:
        time.sleep(0.12)  # HERE default_executor_full

    await asyncio.gather(*(asyncio.to_thread(read) for _ in range(80)))
    return HttpResponse(OK)


@holds("executor-queue", path=False, route=False)
async def own_executor_full(request: HttpRequest, pk: int) -> HttpResponse:
    def read() -> None:
        time.sleep(0.1)  # HERE own_executor_full

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(2) as pool:
        await asyncio.gather(*(loop.run_in_executor(pool, read) for _ in range(6)))
    return HttpResponse(OK)


@holds("deadlock")
async def behind_one_thread(request: HttpRequest, pk: int) -> HttpResponse:
    begun = asyncio.Event()

    async def later() -> None:
        await begun.wait()
        await sync_to_async(int)()

    async def both() -> None:
        begun.set()
        await task

    def holding() -> None:
        async_to_sync(both)()  # HERE behind_one_thread

    task = asyncio.create_task(later())
    waiting = asyncio.create_task(sync_to_async(holding)())
    await asyncio.wait({waiting}, timeout=1.5)
    # Let go, so that the server can end.
    task.cancel()
    await asyncio.wait({waiting, task})
    return HttpResponse(str(waiting.exception() is not None))


@holds("lost-exception")
async def lost_exception(request: HttpRequest, pk: int) -> HttpResponse:
    async def fails() -> None:
        raise LookupError("nobody asks")  # HERE lost_exception

    asyncio.create_task(fails())  # noqa: RUF006
    await asyncio.sleep(0.05)
    return HttpResponse(OK)


@holds("outlives-request")
async def outlives_request(request: HttpRequest, pk: int) -> HttpResponse:
    async def work() -> None:
        await asyncio.sleep(0.5)  # HERE outlives_request

    task = asyncio.create_task(work())
    _left.add(task)
    task.add_done_callback(_left.discard)
    return HttpResponse(OK)


@holds("never-awaited")
async def never_awaited(request: HttpRequest, pk: int) -> HttpResponse:
    asyncio.sleep(0.01)  # type: ignore[unused-coroutine]  # HERE never_awaited
    return HttpResponse(OK)
