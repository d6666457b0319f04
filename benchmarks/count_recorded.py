"""Inside a project: record requests, and count beside the recorder what each of them does.

    python count_recorded.py INTERFACE APPLICATION [PATH ...]

Prints one JSON line for each path, or for each path that the URLconf leads to. APPLICATION is
"module:name". COUNT_COOKIE is sent as the Cookie header. A path that refuses GET is posted to.

The recorder sees hops by its own event loop, calls back and queries by `sys.monitoring`. Here they
are counted elsewhere: where executors take work from a loop, in asgiref's wrapper around what it
runs on the loop, at Django's cursor, and where `threading` asks the system for a thread.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from asgiref.current_thread_executor import CurrentThreadExecutor
from asgiref.sync import AsyncToSync, SyncToAsync

from freeloop.model.trace import Edge, MarkKind, Trace
from freeloop.record.request import Asked
from freeloop.record.session import Options, Recording, record_asgi, record_wsgi

KINDS = ("hop", "back", "query", "thread-started")
# So that cooking, waiting and streaming views end soon.
QUERY_STRING = "ms=5"
BODY = b"one dish"
NOT_ALLOWED = 405
CONVERTER = re.compile(r"<[^>]*>")
THREAD_MAKERS = ("_start_joinable_thread", "_start_new_thread")
ANSWERS_NOTHING = {"ninja:api-root"}


class Counted:
    """Kinds of what was done since the last request began."""

    def __init__(self) -> None:
        self.kinds: list[str] = []  # appended to by several threads at once
        self.on = False

    def note(self, kind: str) -> None:
        """Count one."""
        if self.on:
            self.kinds.append(kind)

    def watched(self, application: Any, interface: str) -> Any:
        """Return the application; each of its requests begins the count anew."""

        async def asgi(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await application(scope, receive, send)
                return
            self._anew()
            try:
                await application(scope, receive, send)
            finally:
                self.on = False

        def wsgi(environ: Any, start_response: Any) -> Any:
            self._anew()
            return application(environ, start_response)

        return asgi if interface == "asgi" else wsgi

    def _anew(self) -> None:
        self.kinds.clear()
        self.on = True


def main(interface: str, named: str, paths: list[str]) -> None:
    """Record each path and print what was marked and what was counted."""
    sys.path.insert(0, str(Path.cwd()))
    import django

    django.setup()
    module, _, attribute = named.partition(":")
    counted = Counted()
    application = counted.watched(getattr(import_module(module), attribute), interface)
    found: dict[str, str] = {}
    with counting(counted):
        for path in paths or every_path():
            filled = CONVERTER.sub(lambda _: found.get("ticket", "0"), path)
            line = one(application, filled, interface, counted, found)
            sys.stdout.write(json.dumps({"path": path, **line}) + "\n")


def one(
    application: Any, path: str, interface: str, counted: Counted, found: dict[str, str]
) -> dict[str, Any]:
    """Return both counts of one request."""
    record = record_asgi if interface == "asgi" else record_wsgi
    options = Options(root=str(Path.cwd()), keep=True)
    recording = record(application, asked(path, "GET"), options)
    if recording.answered.status == NOT_ALLOWED:
        recording = record(application, asked(path, "POST"), options)
    remember(recording, found)
    trace = recording.trace
    kinds = Counter(counted.kinds)
    return {
        "method": trace.request.method,
        "status": trace.request.status,
        "async_view": trace.request.async_view,
        "error": trace.request.error,
        "recorded": marked(trace),
        "counted": {kind: kinds[kind] for kind in KINDS},
        "by_asgiref": kinds["asgiref"],
        "probes_off": {
            name: why for name, why in trace.environment.probes_off.items() if name != "lines"
        },
        "dropped": trace.environment.dropped,
    }


def asked(path: str, method: str) -> Asked:
    """Return a request as a client would send it."""
    headers = [("Host", "127.0.0.1")]
    if cookie := os.environ.get("COUNT_COOKIE"):
        headers.append(("Cookie", cookie))
    if method == "GET":
        return Asked(method, f"{path}?{QUERY_STRING}", tuple(headers))
    headers += [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(BODY)))]
    return Asked(method, f"{path}?{QUERY_STRING}", tuple(headers), BODY)


def remember(recording: Recording, found: dict[str, str]) -> None:
    """Keep the ticket that a view hands out: another view asks for it in its path."""
    body = b"".join(recording.answered.chunks)
    if b'"ticket"' in body:
        found["ticket"] = json.loads(body)["ticket"]


def marked(trace: Trace) -> dict[str, int]:
    """Return how many pairs and points of each kind the trace has."""
    kinds = Counter(mark.kind for mark in trace.marks if mark.edge is not Edge.END)
    return {kind: kinds[MarkKind(kind)] for kind in KINDS}


@contextmanager
def counting(counted: Counted) -> Iterator[None]:
    """Count while the block runs."""
    from django.db.backends.utils import CursorWrapper

    makers = [name for name in THREAD_MAKERS if hasattr(threading, name)][:1]
    places: list[tuple[Any, str, Callable[..., str | None]]] = [
        *((pool, "submit", by_a_loop) for pool in POOLS),
        (SyncToAsync, "thread_handler", lambda *_: "asgiref"),
        (AsyncToSync, "main_wrap", lambda *_: "back"),
        (CursorWrapper, "execute", lambda *_: "query"),
        (CursorWrapper, "executemany", lambda *_: "query"),
        *((threading, name, lambda *_: "thread-started") for name in makers),
        *asynchronous_driver(),
    ]
    stocks = [(owner, name, vars(owner)[name]) for owner, name, _ in places]
    for owner, name, kind in places:
        setattr(owner, name, counter(vars(owner)[name], kind, counted))
    try:
        yield
    finally:
        for owner, name, stock in stocks:
            setattr(owner, name, stock)


POOLS = (ThreadPoolExecutor, ProcessPoolExecutor, CurrentThreadExecutor)


def counter(
    stock: Callable[..., Any], kind: Callable[..., str | None], counted: Counted
) -> Callable[..., Any]:
    """Return the function; each call is counted as the kind that its caller's frame says."""

    def count(*args: Any, **named: Any) -> Any:
        if (what := kind(sys._getframe(1))) is not None:
            counted.note(what)
        return stock(*args, **named)

    return count


def by_a_loop(caller: Any) -> str | None:
    """Only what a loop hands over is a hop: a view may have a pool of its own."""
    return "hop" if caller.f_code is asyncio.BaseEventLoop.run_in_executor.__code__ else None


def asynchronous_driver() -> Iterator[tuple[Any, str, Callable[..., str | None]]]:
    """Yield where a query of psycopg's asynchronous cursor begins; nothing without psycopg."""
    try:
        from psycopg import AsyncCursor
    except ImportError:
        return
    ways = {AsyncCursor.execute.__code__, AsyncCursor.executemany.__code__}
    for name in ("_execute_gen", "_executemany_gen_pipeline", "_executemany_gen_no_pipeline"):
        owner = next(each for each in AsyncCursor.__mro__ if name in vars(each))
        yield owner, name, lambda caller: "query" if caller.f_code in ways else None


def every_path() -> list[str]:
    """Return what the URLconf leads to; paths that hold a converter come last."""
    from django.urls import get_resolver

    return sorted(walk(get_resolver().url_patterns, "/"), key=lambda path: "<" in path)


def walk(patterns: Any, prefix: str, space: str = "") -> Iterator[str]:
    """Yield the paths below a prefix."""
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            inner = f"{entry.namespace}:" if entry.namespace else ""
            yield from walk(entry.url_patterns, route, space + inner)
        elif f"{space}{entry.name}" not in ANSWERS_NOTHING:
            yield route


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
