"""What looks like trouble and is none: nothing may be said about it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator

from asgiref.sync import async_to_sync, sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from tests.watch.site import deep
from tests.watch.site.planted import HOLD_S, silent

OK = "done"
_left: set[asyncio.Task[None]] = set()


@silent
async def awaits_a_sleep(request: HttpRequest, pk: int) -> HttpResponse:
    await asyncio.sleep(HOLD_S)
    return HttpResponse(OK)


@silent
async def sleeps_in_a_thread(request: HttpRequest, pk: int) -> HttpResponse:
    await asyncio.to_thread(time.sleep, HOLD_S)
    return HttpResponse(OK)


@silent
def sync_view_sleeps(request: HttpRequest, pk: int) -> HttpResponse:
    time.sleep(0.3)
    return HttpResponse(OK)


@silent
async def one_call_in_the_thread(request: HttpRequest, pk: int) -> HttpResponse:
    await sync_to_async(time.sleep)(0.3)
    return HttpResponse(OK)


@silent
async def short_blocks_apart(request: HttpRequest, pk: int) -> HttpResponse:
    for _ in range(20):
        time.sleep(0.003)
        await asyncio.sleep(0.001)
    return HttpResponse(OK)


@silent
async def short_burst_of_cpu(request: HttpRequest, pk: int) -> HttpResponse:
    for _ in range(10):
        deep.spin(0.004)
        await asyncio.sleep(0.001)
    return HttpResponse(OK)


@silent
async def block_under_the_threshold(request: HttpRequest, pk: int) -> HttpResponse:
    time.sleep(0.01)
    return HttpResponse(OK)


@silent
async def slow_stream(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[str]:
        for _ in range(6):
            await asyncio.sleep(0.05)
            yield "piece"

    return StreamingHttpResponse(pieces())


@silent
async def many_waits_gathered(request: HttpRequest, pk: int) -> HttpResponse:
    await asyncio.gather(*(asyncio.sleep(0.1) for _ in range(200)))
    return HttpResponse(OK)


@silent
async def asyncio_subprocess(request: HttpRequest, pk: int) -> HttpResponse:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time")
    await process.wait()
    return HttpResponse(OK)


@silent
async def short_background_task(request: HttpRequest, pk: int) -> HttpResponse:
    task = asyncio.create_task(asyncio.sleep(0.02))
    _left.add(task)
    task.add_done_callback(_left.discard)
    return HttpResponse(OK)


@silent
async def exception_asked_for(request: HttpRequest, pk: int) -> HttpResponse:
    async def fails() -> None:
        raise LookupError

    with contextlib.suppress(LookupError):
        await asyncio.create_task(fails())
    return HttpResponse(OK)


@silent
async def cancelled_task(request: HttpRequest, pk: int) -> HttpResponse:
    task = asyncio.create_task(asyncio.sleep(5))
    await asyncio.sleep(0.01)
    task.cancel()
    return HttpResponse(OK)


@silent
async def timeout_that_fires(request: HttpRequest, pk: int) -> HttpResponse:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            await asyncio.sleep(5)
    return HttpResponse(OK)


@silent
async def few_threads_at_once(request: HttpRequest, pk: int) -> HttpResponse:
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.2) for _ in range(3)))
    return HttpResponse(OK)


@silent
def bridge_both_ways(request: HttpRequest, pk: int) -> HttpResponse:
    async def inside() -> None:
        await asyncio.sleep(0.2)
        await sync_to_async(time.sleep)(0.1)

    async_to_sync(inside)()
    return HttpResponse(OK)


@silent
async def deadlock_that_is_none(request: HttpRequest, pk: int) -> HttpResponse:
    """The thread waits for a coroutine that waits for something else."""

    def outer() -> None:
        async_to_sync(asyncio.sleep)(0.2)

    await sync_to_async(outer)()
    return HttpResponse(OK)


@silent
async def asyncio_queue(request: HttpRequest, pk: int) -> HttpResponse:
    queue: asyncio.Queue[int] = asyncio.Queue()
    asyncio.get_running_loop().call_later(0.1, queue.put_nowait, 1)
    await queue.get()
    return HttpResponse(OK)


@silent
async def asyncio_lock(request: HttpRequest, pk: int) -> HttpResponse:
    lock = asyncio.Lock()

    async def hold() -> None:
        async with lock:
            await asyncio.sleep(0.02)

    await asyncio.gather(*(hold() for _ in range(5)))
    return HttpResponse(OK)


@silent
async def plain_hello(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(OK)
