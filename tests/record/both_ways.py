"""Run inside the café: each path without and with recording, beside counts of its own.

`python both_ways.py INTERFACE PATH...` prints one JSON line for each path. What it counts it counts
in other places than the recorder does.
"""

from __future__ import annotations

import asyncio
import builtins
import io
import json
import os
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import django
from asgiref.sync import AsyncToSync, SyncToAsync

from freeloop.model.trace import Edge, MarkKind, Trace
from freeloop.model.trace_codec import decode_trace, encode_trace
from freeloop.record import asgi, wsgi
from freeloop.record.request import Answered, Asked
from freeloop.record.session import Options, Recording, record_asgi, record_wsgi

VOLATILE = (b"date", b"set-cookie")


def main(interface: str, paths: list[str]) -> None:
    """Compare each path and print what was found."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - the café's own folder
    django.setup()
    application = import_module(f"cafe.{interface}").application
    before = standing_in()
    for path in paths:
        asked = Asked("GET", path, (("Host", "127.0.0.1"),))
        plain = answered_plainly(application, asked, interface)
        with counting() as counted:
            recording = recorded(application, asked, interface)
        found = {
            "path": path,
            "same": shown(plain) == shown(recording.answered),
            "plain": repr(shown(plain))[:300],
            "recorded": repr(shown(recording.answered))[:300],
            "counted": counted,
            "marked": marked(recording.trace),
            "error": recording.trace.request.error,
            "probes_off": dict(recording.trace.environment.probes_off),
            "dropped": recording.trace.environment.dropped,
            "left": [name for name, thing in standing_in().items() if thing is not before[name]],
            "tools": [sys.monitoring.get_tool(number) for number in range(6)],
            "round_trip": decode_trace(json.loads(json.dumps(encode_trace(recording.trace))))
            == recording.trace,
        }
        sys.stdout.write(json.dumps(found) + "\n")


def recorded(application: Any, asked: Asked, interface: str) -> Recording:
    options = Options(root=os.getcwd(), warm_up=False, keep=True)  # noqa: PTH109
    record = record_asgi if interface == "asgi" else record_wsgi
    return record(application, asked, options)


def answered_plainly(application: Any, asked: Asked, interface: str) -> Answered:
    """Ask twice, as the recorder's warm-up would, and return the second answer."""
    for _ in range(2):
        if interface == "wsgi":
            answered = Answered()
            thread = threading.Thread(
                target=lambda taken=answered: wsgi.answer(application, asked, taken, keep=True)
            )
            thread.start()
            thread.join()
        else:
            answered = asyncio.run(_answered(application, asked))
    return answered


async def _answered(application: Any, asked: Asked) -> Answered:
    lifespan = asgi.Lifespan(application)
    await lifespan.start()
    exchange = asgi.Exchange(asked, keep=True)
    await application(exchange.scope(), exchange.receive, exchange.send)
    await lifespan.stop()
    return exchange.answered


def shown(answered: Answered) -> tuple[object, ...]:
    """Return what must be equal: status, headers and body."""
    headers = sorted(each for each in answered.headers if each[0].lower() not in VOLATILE)
    return answered.status, headers, b"".join(answered.chunks)


def marked(trace: Trace) -> dict[str, int]:
    """Return how many pairs and points of each kind the trace has."""
    kinds = Counter(mark.kind.value for mark in trace.marks if mark.edge is not Edge.END)
    works = {mark.id for mark in trace.marks if mark.kind is MarkKind.WORK}
    hops = {mark.id for mark in trace.marks if mark.kind is MarkKind.HOP}
    return {**kinds, "hops-worked": len(hops & works), "views": kinds["view"]}


def standing_in() -> dict[str, Any]:
    """Return everything that somebody who records might replace, by name."""
    import aiohttp
    import httpx
    import requests
    import urllib3
    from django.core.handlers import base
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper
    from django.dispatch import Signal

    owners = (
        *(SyncToAsync, AsyncToSync, threading.Thread, CursorWrapper, BaseDatabaseWrapper, Signal),
        *(base.BaseHandler, requests.Session, urllib3.HTTPConnectionPool, httpx.Client),
        *(httpx.AsyncClient, aiohttp.ClientSession, asyncio, time, builtins, io),
        asyncio.BaseEventLoop,
    )
    found = {
        f"{owner.__name__}.{name}": thing
        for owner in owners
        for name, thing in list(vars(owner).items())
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        policy = asyncio.get_event_loop_policy()
    return {**found, "policy": policy}


@contextmanager
def counting() -> Iterator[dict[str, int]]:
    """Count hops, calls back, queries and started threads while the block runs."""
    from django.db.backends.utils import CursorWrapper

    counts = {"hop": 0, "back": 0, "query": 0, "thread-started": 0}
    places: tuple[tuple[Any, str, str], ...] = (
        (SyncToAsync, "thread_handler", "hop"),
        (asyncio, "to_thread", "hop"),
        (AsyncToSync, "main_wrap", "back"),
        (CursorWrapper, "execute", "query"),
        (CursorWrapper, "executemany", "query"),
        (threading.Thread, "start", "thread-started"),
    )
    stocks = [(owner, name, vars(owner)[name]) for owner, name, _ in places]
    for owner, name, kind in places:
        setattr(owner, name, counted(vars(owner)[name], counts, kind))
    try:
        yield counts
    finally:
        for owner, name, stock in stocks:
            setattr(owner, name, stock)


def counted(stock: Callable[..., Any], counts: dict[str, int], kind: str) -> Callable[..., Any]:
    def count(self: Any, *args: Any, **named: Any) -> Any:
        # The recorder's own thread, and the one that a WSGI server would have.
        ours = isinstance(self, threading.Thread) and self.name in {"freeloop samples", "request"}
        counts[kind] += not ours
        return stock(self, *args, **named)

    return count


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
