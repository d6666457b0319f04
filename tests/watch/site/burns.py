"""CPU on the loop: in Python, in C with and without the interpreter lock, in the collector."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import hashlib
import json
import pickle
import re
import threading
import time
import zlib

from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse

from tests.watch.site import deep
from tests.watch.site.planted import HOLD_S, holds

OK = "done"
_NUMBERS = [((each * 7919) % 1000003) for each in range(900_000)]
_TREE = [{"key": str(each), "values": [each, each + 1]} for each in range(60_000)]
# Nothing but ctypes holds the lock while it sleeps.
_C = ctypes.PyDLL(None)


@holds("cpu")
async def python_loop(request: HttpRequest, pk: int) -> HttpResponse:
    deep.spin(HOLD_S)
    return HttpResponse(OK)


@holds("cpu")
async def key_derivation(request: HttpRequest, pk: int) -> HttpResponse:
    hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 250_000)  # HERE key_derivation
    return HttpResponse(OK)


@holds("cpu")
async def password_hashing(request: HttpRequest, pk: int) -> HttpResponse:
    make_password("word")  # HERE password_hashing
    return HttpResponse(OK)


@holds("cpu", "gil-held")
async def compression(request: HttpRequest, pk: int) -> HttpResponse:
    data = bytes(range(256)) * 20_000
    zlib.compress(data, 9)  # HERE compression
    zlib.compress(data[::-1], 9)  # HERE compression
    return HttpResponse(OK)


@holds("gil-held")
async def regular_expression(request: HttpRequest, pk: int) -> HttpResponse:
    re.match(r"(a+)+$", "a" * 22 + "b")  # HERE regular_expression
    return HttpResponse(OK)


@holds("gil-held", "cpu")
async def json_encoding(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(str(len(json.dumps(_TREE * 3))))  # HERE json_encoding


@holds("gil-held")
async def sorting(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(str(sorted(_NUMBERS)[0]))  # HERE sorting


@holds("gil-held")
async def big_power(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(str(pow(3, 10**1500 + 7, 10**1200 + 7) % 10))  # HERE big_power


@holds("gil-held")
async def pickling(request: HttpRequest, pk: int) -> HttpResponse:
    pickle.loads(pickle.dumps(_TREE * 2))  # HERE pickling
    return HttpResponse(OK)


@holds("gil-held")
async def sleep_with_the_lock(request: HttpRequest, pk: int) -> HttpResponse:
    _C.usleep(int(HOLD_S * 1e6))  # HERE sleep_with_the_lock
    return HttpResponse(OK)


@holds("gc")
async def collection(request: HttpRequest, pk: int) -> HttpResponse:
    gc.disable()
    many = await asyncio.to_thread(lambda: [[each] for each in range(700_000)])
    gc.collect()  # HERE collection
    gc.enable()
    await asyncio.to_thread(many.clear)
    return HttpResponse(OK)


@holds("gil-other-thread", path=False, route=False)
async def lock_held_elsewhere(request: HttpRequest, pk: int) -> HttpResponse:
    def search() -> None:
        time.sleep(0.05)
        re.match(r"(a+)+$", "a" * 22 + "b")  # HERE lock_held_elsewhere
        time.sleep(0.05)

    await asyncio.gather(asyncio.to_thread(search), asyncio.sleep(0.1))
    return HttpResponse(OK)


@holds("thread-start")
async def slow_thread_start(request: HttpRequest, pk: int) -> HttpResponse:
    class Slow(threading.Thread):
        def _bootstrap_inner(self) -> None:
            time.sleep(HOLD_S)
            super()._bootstrap_inner()  # type: ignore[misc]

    thread = Slow(target=int)
    thread.start()  # HERE slow_thread_start
    thread.join()
    return HttpResponse(OK)


@holds("saturation")
async def eight_tasks_in_one_turn(request: HttpRequest, pk: int) -> HttpResponse:
    async def one() -> None:
        deep.spin(0.009)

    await asyncio.gather(*(one() for _ in range(8)))
    return HttpResponse(OK)


@holds("saturation")
async def thousands_of_callbacks(request: HttpRequest, pk: int) -> HttpResponse:
    loop = asyncio.get_running_loop()
    for _ in range(600):
        loop.call_soon(deep.spin, 0.0001)
    await asyncio.sleep(0.1)
    return HttpResponse(OK)
