"""What a thread can run."""

from __future__ import annotations

import asyncio
from functools import partial

from asgiref.sync import sync_to_async


def load(pk):
    return "dish"


def loader(pk):
    def inner():
        return pk

    return inner


class Load:
    def __call__(self):
        return 1


async def functions(request, unknown):
    await sync_to_async(load)(1)
    await sync_to_async(partial(load, 1))()
    await sync_to_async(lambda: load(1))()
    await sync_to_async(loader(1))()
    await sync_to_async(Load())()
    await asyncio.to_thread(load, 1)
    await sync_to_async(unknown(1))()
