"""A WSGI application as a threaded server calls it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any

from freeloop.record.request import CLIENT, PORT, Answered, Asked


def environ_of(asked: Asked) -> dict[str, Any]:
    """Return the environment of a request, as gunicorn makes it."""
    found: dict[str, Any] = {
        "REQUEST_METHOD": asked.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": asked.path.decode("latin-1"),
        "QUERY_STRING": asked.query,
        "RAW_URI": asked.url,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(PORT),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": CLIENT[0],
        "REMOTE_PORT": str(CLIENT[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(asked.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in asked.headers:
        key = name.upper().replace("-", "_")
        found[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    return found


def answer(
    application: Callable[..., Iterable[bytes]],
    asked: Asked,
    answered: Answered,
    *,
    first_byte: Callable[[], object] = lambda: None,
    keep: bool = False,
) -> None:
    """Call the application, read its answer to the end, and close it."""

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Callable[..., None]:
        answered.status = int(status.split(" ", 1)[0])
        answered.headers = tuple(
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers
        )
        return take

    def take(part: bytes) -> None:
        if part and not answered.sent_bytes:
            first_byte()
        answered.sent_bytes += len(part)
        if keep:
            answered.chunks.append(part)

    response = application(environ_of(asked), start_response)
    answered.streamed = bool(getattr(response, "streaming", False))
    try:
        for part in response:
            take(part)
    finally:
        close = getattr(response, "close", None)
        if close is not None:
            close()
