"""Calls out by urllib.request and http.client: method, host, status."""

from __future__ import annotations

from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from freeloop.model.trace import MarkKind
from freeloop.record.monitor import Call
from freeloop.record.recorder import Detail
from freeloop.record.watch import Watch

LIBRARY = ("http.client", "")


def install(watch: Watch) -> None:
    """Watch the opener, and the two steps of a plain connection."""
    import urllib.request
    from http.client import HTTPConnection

    opener: Any = urllib.request.OpenerDirector
    connection: Any = HTTPConnection
    watch.call(opener.open, Call(MarkKind.OUTBOUND, opens, opened, alone=True), "self", "fullurl")
    watch.call(connection._send_request, Call(MarkKind.OUTBOUND, sends, alone=True), "self")
    watch.call(connection.getresponse, Call(MarkKind.OUTBOUND, waits, answered, alone=True), "self")


def opens(frame: FrameType) -> tuple[str, Detail | None]:
    """Tell method and host of what an opener is given."""
    url = frame.f_locals["fullurl"]
    if type(url) is str:
        method = "GET" if frame.f_locals.get("data") is None else "POST"
    else:  # urllib.request.Request
        method, url = url.get_method(), url.full_url
    host = urlsplit(url).netloc.rpartition("@")[2]
    return f"{method} {host}", {"library": "urllib", "host": host}


def opened(frame: FrameType, response: Any) -> tuple[str | None, Detail | None]:
    """Tell the status too; a file that was opened has none."""
    status = getattr(response, "status", None)
    text = f"{opens(frame)[0]} {status}" if status else None
    return text, {"library": "urllib", "status": status}


def sends(frame: FrameType) -> tuple[str, Detail | None]:
    """Tell where a request goes: connecting and sending."""
    return f"send {frame.f_locals['method']} {_host(frame)}", {"library": "http.client"}


def waits(frame: FrameType) -> tuple[str, Detail | None]:
    """Tell whose answer is waited for."""
    method = getattr(frame.f_locals["self"], "_method", None) or ""
    return f"{method} {_host(frame)}".strip(), {"library": "http.client", "host": _host(frame)}


def answered(frame: FrameType, response: Any) -> tuple[str, Detail | None]:
    """Tell the status too."""
    text, detail = waits(frame)
    return f"{text} {response.status}", {**(detail or {}), "status": int(response.status)}


def _host(frame: FrameType) -> str:
    connection = frame.f_locals["self"]
    return f"{connection.host}:{connection.port}"
