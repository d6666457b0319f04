"""Inside the project: what relief leaves out there, and the hops of one GET, counted."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

# This file is freeloop/source/inside/relief.py.
PACKAGE = Path(__file__).parents[2]
ANSWER_LIMIT_S = 30.0
# An event stream may never end: after so many parts the client goes away.
MOST_PARTS = 1000


def answer(
    question: dict[str, Any], _cleanups: list[Callable[[], None]], asked: type
) -> dict[str, object]:
    """Return the explanation, and what was counted of `path` unless that is None."""
    from dataclasses import asdict

    relief = ours("relief", asked)
    explained = asdict(relief.explain())
    if question["path"] is None:
        return {"explained": explained, "counted": None}
    probe = ours("record.probes.asgiref_hops", asked)
    return {"explained": explained, "counted": counted(question, relief, probe, asked)}


def ours(name: str, asked: type) -> Any:
    """Import a module of freeloop: the project's own, else the one that this file belongs to."""
    if "freeloop" not in sys.modules and importlib.util.find_spec("freeloop") is None:
        load_package()
    try:
        return importlib.import_module(f"freeloop.{name}")
    except ModuleNotFoundError as error:
        found = sys.modules["freeloop"]
        version = getattr(found, "__version__", "of unknown version")
        raise asked("other-freeloop", version=version, missing=error.name) from error


def load_package() -> None:
    """Load the package by its place: it is not installed here."""
    spec = importlib.util.spec_from_file_location(
        "freeloop", PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)]
    )
    assert spec is not None  # noqa: S101, RUF100 - the place is freeloop's own
    assert spec.loader is not None  # noqa: S101, RUF100
    module = importlib.util.module_from_spec(spec)
    sys.modules["freeloop"] = module
    spec.loader.exec_module(module)


def counted(question: dict[str, Any], relief: Any, probe: Any, asked: type) -> dict[str, object]:
    """Return what the second GET did on a stock handler and on a relieved one."""
    # The project may have installed relief already, by its settings or in asgi.py.
    was_installed = bool(relief.installed_parts())
    relief.uninstall()
    try:
        stock = second_get(question, probe, asked)
        relief.install()
        relieved = second_get(question, probe, asked)
    finally:
        relief.uninstall()
        if was_installed:
            relief.install()
    return {"view": view_name(question["path"], probe), "stock": stock, "relieved": relieved}


def view_name(url: str, probe: Any) -> str:
    """Return the name under which the probe sees the view, "" when the URLconf has none."""
    from django.urls import Resolver404, resolve

    with suppress(Resolver404):
        return str(probe.function_name(resolve(unquote(urlsplit(url).path)).func))
    return ""


def second_get(question: dict[str, Any], probe: Any, asked: type) -> dict[str, object]:
    """Build Django's ASGI handler, answer the same GET twice, and return what the second did."""
    from django.core.asgi import get_asgi_application

    handler = get_asgi_application()

    async def both() -> dict[str, object]:
        await get(handler, question, probe)
        return await get(handler, question, probe)

    try:
        return asyncio.run(both())
    except TimeoutError as error:
        raise asked("no-answer", limit_s=ANSWER_LIMIT_S) from error


async def get(handler: Any, question: dict[str, Any], probe: Any) -> dict[str, object]:
    """Drive the handler as a server does, in a task of its own, with the probe in place."""
    parts = urlsplit(question["path"])
    headers = {"host": question["host"], **question["headers"]}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
    }
    asked_for = iter([{"type": "http.request", "body": b"", "more_body": False}])
    gone = asyncio.Event()
    status, sent = None, 0

    async def receive() -> dict[str, Any]:
        for message in asked_for:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status, sent
        status = message.get("status", status)
        sent += 1
        if sent > MOST_PARTS:
            gone.set()

    async with asyncio.timeout(ANSWER_LIMIT_S):
        with probe.watching(), probe.recording() as recorded:
            await asyncio.create_task(handler(scope, receive, send))
    return {
        "status": status,
        "to_thread": [hop.function for hop in recorded.hops if hop.direction == "to thread"],
        "to_loop": [hop.function for hop in recorded.hops if hop.direction == "to loop"],
        "threads": recorded.threads,
    }
