"""In a process of its own: what `explain` computes for a stack, and what the hop probe counts.

Questions and answers are JSON lines. A question: `{"settings": {}, "paths": [], "headers": {},
"before": ""}`; `before` is code that runs first and may define `after()`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import django

HEADERS = {"host": "testserver"}


def main() -> None:
    """Answer each line of standard input."""
    import os

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.relief.explained.settings"
    django.setup()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Return the explanation, stock and relieved counts for each path, and `explain` again."""
    from dataclasses import asdict

    from django.test import override_settings

    from freeloop.relief import explain, install, uninstall

    names: dict[str, Any] = {}
    headers = HEADERS | question.get("headers", {})
    with override_settings(**question["settings"]):
        exec(question.get("before", ""), names)
        try:
            explained = explain()
            stock = counts(question["paths"], headers)
            install()
            try:
                again = explain()
                relieved = counts(question["paths"], headers)
            finally:
                uninstall()
        finally:
            names.get("after", lambda: None)()
        more = simulated(headers) if question.get("simulate") else {}
    return {
        **more,
        "explained": asdict(explained),
        "same_when_installed": explained == again,
        "stock": stock,
        "relieved": relieved,
    }


def simulated(headers: dict[str, str]) -> dict[str, Any]:
    """Return what the simulator computes, what traces count, and the threads a view saw held."""
    from dataclasses import asdict

    from django.core.handlers.asgi import ASGIHandler

    from freeloop.judge.charge import charge_of
    from freeloop.record.request import Asked
    from freeloop.record.session import Options, record_asgi
    from freeloop.relief.simulator import simulate

    options = Options(root=str(Path(__file__).parent))
    handler = ASGIHandler()
    host = (("Host", headers["host"]),)
    traces = {
        path: record_asgi(handler, Asked("GET", path, host), options).trace
        for path in ("/async/", "/sync/")
    }
    return {
        "simulated": asdict(simulate()),
        "traced": {path: asdict(charge_of(trace)) for path, trace in traces.items()},
        "held": int(counts(["/held/"], headers)["/held/"]["body"]),
    }


def counts(paths: list[str], headers: dict[str, str]) -> dict[str, Any]:
    """Return the hops and threads of the second GET of each path, on a handler built now."""
    from django.core.handlers.asgi import ASGIHandler

    handler = ASGIHandler()
    return {path: (get(handler, path, headers), get(handler, path, headers))[1] for path in paths}


def get(handler: Any, path: str, headers: dict[str, str]) -> dict[str, Any]:
    """Drive the handler as a server does and return what the probe saw."""
    from freeloop.record.probes.asgiref_hops import Direction, recording, watching

    sent: list[Any] = []

    async def request() -> Any:
        messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Any:
            for message in messages:
                return message
            return await asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": headers.get(":method", "GET"),
            "path": path,
            "query_string": b"",
            "headers": [
                (name.encode(), value.encode())
                for name, value in headers.items()
                if not name.startswith(":")
            ],
        }
        with watching(), recording() as recorded:
            await handler(scope, receive, send)
        return recorded

    recorded = asyncio.run(request())
    directions = {
        way: [h.function for h in recorded.hops if h.direction is way] for way in Direction
    }
    return {
        "status": sent[0]["status"],
        "body": b"".join(each.get("body", b"") for each in sent).decode(errors="replace"),
        "to_thread": directions[Direction.TO_THREAD],
        "to_loop": directions[Direction.TO_LOOP],
        "threads": recorded.threads,
    }


if __name__ == "__main__":
    main()
