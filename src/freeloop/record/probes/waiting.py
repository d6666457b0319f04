"""Sleeps and locks: asyncio's, and those of threads that are written in Python.

`threading.Lock` is written in C and cannot be seen; what waits on one shows as blocked time.
"""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from types import FrameType

from freeloop.model.trace import MarkKind
from freeloop.record.monitor import Call
from freeloop.record.recorder import Detail
from freeloop.record.watch import Watch

LIBRARY = ("asyncio", "")
LOCKS = (
    (asyncio.Lock.acquire, "asyncio.Lock"),
    (asyncio.Semaphore.acquire, "asyncio.Semaphore"),
    (asyncio.Event.wait, "asyncio.Event"),
    (asyncio.Condition.wait, "asyncio.Condition"),
    (asyncio.Queue.get, "asyncio.Queue.get"),
    (threading.Semaphore.acquire, "threading.Semaphore"),
    (threading.Event.wait, "threading.Event"),
    (threading.Condition.wait, "threading.Condition"),
)


def install(watch: Watch) -> None:
    """Watch asyncio.sleep and the locks."""
    watch.call(asyncio.sleep, Call(MarkKind.SLEEP, sleeps, alone=True), "delay")
    for function, name in LOCKS:
        # A thread that waits for the loop's answer, or for its own thread's start, is no lock.
        inside = (MarkKind.BACK, MarkKind.OUTBOUND, MarkKind.QUERY)
        call = Call(MarkKind.LOCK, partial(waits, name), alone=True, inside=inside)
        watch.call(function, call, "self")


def sleeps(frame: FrameType) -> tuple[str, Detail | None]:
    """Tell how long was asked for."""
    seconds = frame.f_locals["delay"]
    known = type(seconds) is float or type(seconds) is int
    return "asyncio.sleep", {"asked_ms": seconds * 1000 if known else None}


def waits(name: str, frame: FrameType) -> tuple[str, Detail | None] | None:
    """Name the lock; the machinery of threads and executors waits on some of its own."""
    caller = frame.f_back
    module = caller.f_globals.get("__name__", "") if caller is not None else ""
    if type(module) is str and module.startswith(MACHINERY):
        return None
    return name, None


MACHINERY = ("threading", "concurrent.", "asgiref.", "asyncio.", "freeloop.")
