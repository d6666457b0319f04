"""Calls out by requests and urllib3: method, host, status; a call inside a call counts once."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from freeloop.model.trace import MarkKind
from freeloop.record.monitor import Call
from freeloop.record.recorder import Detail
from freeloop.record.watch import Watch

LIBRARY = ("urllib3.connectionpool", "urllib3")


def install(watch: Watch) -> None:
    """Watch `Session.send`, and `urlopen` for those who use urllib3 alone."""
    from urllib3.connectionpool import HTTPConnectionPool

    if "requests.sessions" in sys.modules:
        session: Any = sys.modules["requests.sessions"].Session
        call = Call(MarkKind.OUTBOUND, asked, answered, alone=True)
        watch.call(session.send, call, "self", "request")
    watch.call(
        HTTPConnectionPool.urlopen,
        Call(MarkKind.OUTBOUND, opened, received, alone=True),
        *("self", "method"),
    )


def asked(frame: FrameType) -> tuple[str, Detail | None]:
    """Tell method and host of a prepared request."""
    request = frame.f_locals["request"]
    host = urlsplit(request.url or "").netloc.rpartition("@")[2]
    return f"{request.method} {host}", {"library": "requests", "host": host}


def answered(frame: FrameType, response: Any) -> tuple[str, Detail | None]:
    """Tell the status too."""
    text, detail = asked(frame)
    return f"{text} {response.status_code}", {**(detail or {}), "status": response.status_code}


def opened(frame: FrameType) -> tuple[str, Detail | None]:
    """Tell method and host of a pool's request."""
    pool = frame.f_locals["self"]
    host = f"{pool.host}:{pool.port}" if pool.port else str(pool.host)
    return f"{frame.f_locals['method']} {host}", {"library": "urllib3", "host": host}


def received(frame: FrameType, response: Any) -> tuple[str, Detail | None]:
    """Tell the status too."""
    text, detail = opened(frame)
    return f"{text} {response.status}", {**(detail or {}), "status": int(response.status)}
