"""Calls out by httpx, sync and async: method, host, status."""

from __future__ import annotations

from types import FrameType
from typing import Any

from freeloop.model.trace import MarkKind
from freeloop.record.monitor import Call
from freeloop.record.recorder import Detail
from freeloop.record.watch import Watch

LIBRARY = ("httpx", "httpx")


def install(watch: Watch) -> None:
    """Watch `send`, to which every way of asking leads."""
    import httpx

    for client in (httpx.Client, httpx.AsyncClient):
        watch.call(
            client.send, Call(MarkKind.OUTBOUND, asked, answered, alone=True), "self", "request"
        )


def asked(frame: FrameType) -> tuple[str, Detail | None]:
    """Tell method and host."""
    request = frame.f_locals["request"]
    port = request.url.port
    host = f"{request.url.host}:{port}" if port else str(request.url.host)
    return f"{request.method} {host}", {"library": "httpx", "host": host}


def answered(frame: FrameType, response: Any) -> tuple[str, Detail | None]:
    """Tell the status too."""
    text, detail = asked(frame)
    return f"{text} {response.status_code}", {**(detail or {}), "status": response.status_code}
