"""Calls out by aiohttp's client: method, host, status; up to the headers of the answer."""

from __future__ import annotations

from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from freeloop.model.trace import MarkKind
from freeloop.record.monitor import Call
from freeloop.record.recorder import Detail
from freeloop.record.watch import Watch

LIBRARY = ("aiohttp.client", "aiohttp")


def install(watch: Watch) -> None:
    """Watch `_request`, to which every way of asking leads."""
    from aiohttp import ClientSession

    watch.call(
        ClientSession._request,
        Call(MarkKind.OUTBOUND, asked, answered, alone=True),
        *("self", "method", "str_or_url"),
    )


def asked(frame: FrameType) -> tuple[str, Detail | None]:
    """Tell method and host."""
    url = frame.f_locals["str_or_url"]
    if type(url) is str:
        host = urlsplit(url).netloc.rpartition("@")[2]
    else:  # yarl.URL
        port = url.explicit_port
        host = f"{url.host}:{port}" if port else str(url.host or "")
    return f"{frame.f_locals['method']} {host}", {"library": "aiohttp", "host": host}


def answered(frame: FrameType, response: Any) -> tuple[str, Detail | None]:
    """Tell the status too."""
    text, detail = asked(frame)
    return f"{text} {response.status}", {**(detail or {}), "status": int(response.status)}
