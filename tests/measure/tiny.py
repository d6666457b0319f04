"""Start the tiny project on a real server, and ask it over HTTP."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from freeloop.measure.launch import Launch
from freeloop.measure.process import ServerProcess
from freeloop.measure.servers import server_named

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent / "projects" / "servers_tiny"


def tiny(server: str, **options: Any) -> ServerProcess:
    """Return the tiny project on that server, not started yet."""
    options = {"root": ROOT, "settings": "tiny.settings", "threads": 4, **options}
    return ServerProcess(Launch(server=server_named(server), **options))


def answer(process: ServerProcess, path: str) -> tuple[http.client.HTTPResponse, bytes]:
    """Return the answer to one request and its body; the connection is closed."""
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=20)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def text(process: ServerProcess, path: str) -> str:
    """Return the body of a right answer."""
    response, body = answer(process, path)
    assert response.status == 200, body
    return body.decode()


def told(process: ServerProcess, path: str) -> Any:
    """Return the JSON of a right answer."""
    return json.loads(text(process, path))


def together(process: ServerProcess, path: str, times: int) -> list[str]:
    """Return the bodies of so many right answers to requests sent at once."""
    with concurrent.futures.ThreadPoolExecutor(times) as pool:
        return list(pool.map(lambda _: text(process, path), range(times)))


def tree(process: ServerProcess) -> list[psutil.Process]:
    """Return the server's processes, as they are now."""
    root = psutil.Process(process.pid)
    return [root, *root.children(recursive=True)]


def soon(condition: Callable[[], bool], within_s: float = 10.0) -> bool:
    """Return whether the condition becomes true in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
