"""Print how many calls one request to each path hands to a thread; `--relief` installs relief.

Run in this folder. Counted where the event loop hands work over, so asgiref's own hops and the
thread that joins another are all in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"


async def count(application: Any, path: str) -> int:
    """Return the hand-overs of one GET; the ones before it have warmed everything up."""
    loop = asyncio.get_running_loop()
    handed_over = 0
    run_in_executor = loop.run_in_executor

    def counted(*args: Any) -> Any:
        nonlocal handed_over
        handed_over += 1
        return run_in_executor(*args)

    loop.run_in_executor = counted  # type: ignore[method-assign]
    try:
        for _ in range(3):
            handed_over = 0
            await ask(application, path)
    finally:
        loop.run_in_executor = run_in_executor  # type: ignore[method-assign]
    return handed_over


async def ask(application: Any, path: str) -> None:
    """Send one GET and take its answer."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"ms=1",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])
    statuses = []

    async def receive() -> Any:
        for message in asked:
            return message
        return await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await application(scope, receive, send)
    assert statuses == [200], statuses


async def main(paths: list[str]) -> None:
    """Count each path."""
    if "--relief" in paths:
        from freeloop.asgi import get_asgi_application
    else:
        from django.core.asgi import get_asgi_application
    application = get_asgi_application()
    asked = [path for path in paths if path != "--relief"]
    print(json.dumps({path: await count(application, path) for path in asked}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
