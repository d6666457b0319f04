"""The café as a running site: started by its own entry point, on a real server."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

CAFE = Path(__file__).resolve().parents[2] / "examples" / "cafe"
UVICORN = ("-m", "uvicorn", "cafe.asgi:application", "--log-level=warning", "--port={port}")
GTHREAD = (
    *("-m", "gunicorn", "cafe.wsgi", "--worker-class=gthread", "--threads=20"),
    *("--log-level=warning", "--bind=127.0.0.1:{port}"),
)
PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Site:
    """A café that answers on the loopback interface.

    Attributes:
        port: Where.
        process: The entry point, which waits for the server.
    """

    port: int
    process: subprocess.Popen[bytes]

    def url(self, path: str, scheme: str = "http") -> str:
        """Return the full address of a path."""
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def get(self, path: str) -> httpx.Response:
        """Ask for a page on a connection of its own."""
        return httpx.get(self.url(path), timeout=PATIENCE_S)

    def post(self, path: str, **body: Any) -> httpx.Response:
        """Send a body; `content` or `files`, as httpx names them."""
        return httpx.post(self.url(path), timeout=PATIENCE_S, **body)


@contextmanager
def serving(server: Sequence[str], *options: str) -> Iterator[Site]:
    """Run `backing.py OPTIONS -- python SERVER` until the block ends."""
    port = free_port()
    arguments = [argument.format(port=port) for argument in server]
    process = backing(*options, "--", sys.executable, *arguments)
    site = Site(port, process)
    try:
        until(lambda: answers(site) or process.poll() is not None)
        assert process.poll() is None, f"no server, exit code {process.returncode}"
        yield site
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def backing(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start the café's entry point."""
    return subprocess.Popen([sys.executable, CAFE / "backing.py", *arguments], **options)


def answers(site: Site) -> bool:
    try:
        return site.get("/health/").text == "open"
    except httpx.TransportError:
        return False


def until(true: Callable[[], bool]) -> None:
    """Ask again and again until it is true; fail when patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def at_once[T](count: int, call: Callable[[], T]) -> tuple[list[T], float]:
    """Call it from as many threads, and return what came and how many seconds it took."""
    with ThreadPoolExecutor(count) as pool:
        started = time.perf_counter()
        calls = [pool.submit(call) for _ in range(count)]
        results = [each.result() for each in calls]
        return results, time.perf_counter() - started


def event_times(site: Site, path: str) -> list[float]:
    """Return when each server-sent event arrived, in seconds since the first."""
    times: list[float] = []
    with httpx.stream("GET", site.url(path), timeout=PATIENCE_S) as response:
        for chunk in response.iter_raw():
            now = time.perf_counter()
            times.extend([now] * len(re.findall(rb"data: ", chunk)))
    return [each - times[0] for each in times]


LIST_ROUTES = """
import django, json
django.setup()
from asgiref.sync import iscoroutinefunction
from django.urls import get_resolver
def walk(patterns, prefix, space):
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            inner = space + [entry.namespace] if entry.namespace else space
            yield from walk(entry.url_patterns, route, inner)
        else:
            name = ":".join([*space, entry.name or ""])
            yield {"path": "/" + route, "name": name, "async": iscoroutinefunction(entry.callback)}
print(json.dumps(list(walk(get_resolver().url_patterns, "", []))))
"""


def routes() -> list[dict[str, Any]]:
    """List every route of the project: path, name, and whether its view is async.

    Ninja adds a root of its own, which answers nothing here.
    """
    listed = subprocess.run(
        [sys.executable, "-c", LIST_ROUTES],
        cwd=CAFE,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "cafe.settings"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found: list[dict[str, Any]] = json.loads(listed.stdout)
    return [route for route in found if route["name"] != "ninja:api-root"]
