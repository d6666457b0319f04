"""Waiting calls on the loop, one by one."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import fcntl
import http.client
import multiprocessing
import os
import queue
import select
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views import View

from tests.watch.site import deep
from tests.watch.site.planted import HOLD_S, holds, situations

OK = "done"


@holds("wait")
async def time_sleep(request: HttpRequest, pk: int) -> HttpResponse:
    time.sleep(HOLD_S)  # HERE time_sleep
    return HttpResponse(OK)


@holds("wait")
async def three_calls_deep(request: HttpRequest, pk: int) -> HttpResponse:
    deep.middle()
    return HttpResponse(OK)


@holds("wait")
async def in_a_generator(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(str(list(deep.rows())))


@holds("wait")
async def in_a_comprehension(request: HttpRequest, pk: int) -> HttpResponse:
    [deep.nap(HOLD_S / 7) for _ in range(7)]
    return HttpResponse(OK)


@holds("wait")
async def in_a_property(request: HttpRequest, pk: int) -> HttpResponse:
    class Price:
        @property
        def amount(self) -> int:
            time.sleep(HOLD_S)  # HERE in_a_property
            return 3

    return HttpResponse(str(Price().amount))


@holds("wait")
async def in_a_context_manager(request: HttpRequest, pk: int) -> HttpResponse:
    @contextlib.contextmanager
    def slow() -> Iterator[None]:
        yield
        time.sleep(HOLD_S)  # HERE in_a_context_manager

    with slow():
        await asyncio.sleep(0)
    return HttpResponse(OK)


@holds("wait")
async def while_handling_an_error(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        raise LookupError
    except LookupError:
        time.sleep(HOLD_S)  # HERE while_handling_an_error
    return HttpResponse(OK)


@holds("wait")
async def between_two_awaits(request: HttpRequest, pk: int) -> HttpResponse:
    await asyncio.sleep(0.01)
    time.sleep(HOLD_S)  # HERE between_two_awaits
    await asyncio.sleep(0.01)
    return HttpResponse(OK)


@holds("wait")
async def from_a_decorator(request: HttpRequest, pk: int) -> HttpResponse:
    def audited(function: Any) -> Any:
        def call() -> Any:
            time.sleep(HOLD_S)  # HERE from_a_decorator
            return function()

        return call

    return HttpResponse(audited(lambda: OK)())


class _ClassBased(View):
    async def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        time.sleep(HOLD_S)  # HERE class_based_view
        return HttpResponse(OK)


class_based_view = _ClassBased.as_view()
class_based_view.__name__ = "class_based_view"
holds("wait")(class_based_view)


def _slow_server() -> int:
    """Serve one slow answer from a thread; return the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with listener, connection:
            connection.recv(4096)
            time.sleep(HOLD_S)
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


@holds("wait")
async def urlopen(request: HttpRequest, pk: int) -> HttpResponse:
    port = await asyncio.to_thread(_slow_server)
    urllib.request.urlopen(f"http://127.0.0.1:{port}/").read()  # HERE urlopen
    return HttpResponse(OK)


@holds("wait")
async def http_client(request: HttpRequest, pk: int) -> HttpResponse:
    connection = http.client.HTTPConnection("127.0.0.1", await asyncio.to_thread(_slow_server))
    connection.request("GET", "/")
    connection.getresponse().read()  # HERE http_client
    connection.close()
    return HttpResponse(OK)


@holds("wait")
async def socket_recv(request: HttpRequest, pk: int) -> HttpResponse:
    with socket.create_connection(
        ("127.0.0.1", await asyncio.to_thread(_slow_server))
    ) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        connection.recv(100)  # HERE socket_recv
    return HttpResponse(OK)


@holds("wait", "cpu")
async def subprocess_run(request: HttpRequest, pk: int) -> HttpResponse:
    subprocess.run(["sleep", str(HOLD_S)], check=True)  # HERE subprocess_run
    return HttpResponse(OK)


@holds("wait", "cpu")
async def os_system(request: HttpRequest, pk: int) -> HttpResponse:
    os.system(f"sleep {HOLD_S}")  # HERE os_system
    return HttpResponse(OK)


@holds("wait")
async def thread_join(request: HttpRequest, pk: int) -> HttpResponse:
    thread = threading.Thread(target=time.sleep, args=(HOLD_S,))
    thread.start()
    thread.join()  # HERE thread_join
    return HttpResponse(OK)


@holds("wait")
async def queue_get(request: HttpRequest, pk: int) -> HttpResponse:
    with contextlib.suppress(queue.Empty):
        queue.Queue[int]().get(timeout=HOLD_S)  # HERE queue_get
    return HttpResponse(OK)


@holds("wait")
async def lock_acquire(request: HttpRequest, pk: int) -> HttpResponse:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=HOLD_S)  # HERE lock_acquire
    return HttpResponse(OK)


@holds("wait")
async def event_wait(request: HttpRequest, pk: int) -> HttpResponse:
    threading.Event().wait(HOLD_S)  # HERE event_wait
    return HttpResponse(OK)


@holds("wait")
async def select_select(request: HttpRequest, pk: int) -> HttpResponse:
    select.select([], [], [], HOLD_S)  # HERE select_select
    return HttpResponse(OK)


@holds("wait")
async def file_lock(request: HttpRequest, pk: int) -> HttpResponse:
    with tempfile.NamedTemporaryFile() as one, open(one.name, "rb") as two:
        fcntl.flock(one, fcntl.LOCK_EX)
        threading.Timer(HOLD_S, fcntl.flock, (one, fcntl.LOCK_UN)).start()
        fcntl.flock(two, fcntl.LOCK_EX)  # HERE file_lock
    return HttpResponse(OK)


@holds("wait")
async def sqlite_busy(request: HttpRequest, pk: int) -> HttpResponse:
    with tempfile.TemporaryDirectory() as folder:
        one = sqlite3.connect(f"{folder}/shop", isolation_level=None)
        two = sqlite3.connect(f"{folder}/shop", isolation_level=None, timeout=HOLD_S)
        one.execute("BEGIN EXCLUSIVE")
        with contextlib.suppress(sqlite3.OperationalError):
            two.execute("BEGIN EXCLUSIVE")  # HERE sqlite_busy
        one.close()
        two.close()
    return HttpResponse(OK)


@holds("wait")
async def future_result(request: HttpRequest, pk: int) -> HttpResponse:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pool.submit(time.sleep, HOLD_S).result()  # HERE future_result
    return HttpResponse(OK)


@holds("wait")
async def pipe_read(request: HttpRequest, pk: int) -> HttpResponse:
    reading, writing = os.pipe()
    threading.Timer(HOLD_S, os.write, (writing, b"x")).start()
    os.read(reading, 1)  # HERE pipe_read
    os.close(reading)
    os.close(writing)
    return HttpResponse(OK)


@holds("wait")
async def signal_wait(request: HttpRequest, pk: int) -> HttpResponse:
    signal.sigtimedwait({signal.SIGUSR2}, HOLD_S)  # HERE signal_wait
    return HttpResponse(OK)


@holds("wait")
async def pipe_poll(request: HttpRequest, pk: int) -> HttpResponse:
    ours, theirs = multiprocessing.Pipe()
    ours.poll(HOLD_S)  # HERE pipe_poll
    ours.close()
    theirs.close()
    return HttpResponse(OK)


@holds("wait")
async def in_a_stream(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[str]:
        yield "one"
        await asyncio.sleep(0.01)
        time.sleep(HOLD_S)  # HERE in_a_stream
        yield "two"

    return StreamingHttpResponse(pieces())


@holds("wait")
async def background_task(request: HttpRequest, pk: int) -> HttpResponse:
    async def work() -> None:
        await asyncio.sleep(0.01)
        time.sleep(HOLD_S)  # HERE background_task

    task = asyncio.create_task(work())
    await asyncio.sleep(0.03)
    await task
    return HttpResponse(OK)


@holds("wait")
async def call_later(request: HttpRequest, pk: int) -> HttpResponse:
    asyncio.get_running_loop().call_later(0.01, _callback)
    await asyncio.sleep(0.15)
    return HttpResponse(OK)


def _callback() -> None:
    time.sleep(HOLD_S)  # HERE call_later done_callback reader_callback


@holds("wait")
async def done_callback(request: HttpRequest, pk: int) -> HttpResponse:
    future = asyncio.get_running_loop().create_future()
    future.add_done_callback(lambda _: _callback())
    future.set_result(None)
    await asyncio.sleep(0.15)
    return HttpResponse(OK)


@holds("wait")
async def reader_callback(request: HttpRequest, pk: int) -> HttpResponse:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()

    def readable() -> None:
        loop.remove_reader(ours)
        _callback()

    loop.add_reader(ours, readable)
    theirs.send(b"x")
    await asyncio.sleep(0.15)
    ours.close()
    theirs.close()
    return HttpResponse(OK)


assert len(situations) >= 30
