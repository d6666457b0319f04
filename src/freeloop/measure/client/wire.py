"""Exchange: one request made ready to be sent again and again, bytes and all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from freeloop.errors import FreeloopError
from freeloop.model.request import Kind, RequestSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

# Everything that may stand in a path with query, "%" included: what is escaped stays escaped.
_PATH_SIGNS = "/?#[]@!$&'()*+,;=:%-._~"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[^\r\n\0]*")
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a connection sends and what it accepts as the answer.

    Attributes:
        payload: Bytes of the HTTP request, or text of the WebSocket message.
        status: Status code that counts as right.
        contains: Bytes that the answer must contain; empty accepts any.
        bodyless: Whether the answer has a head alone, as for HEAD.
        streams: Whether the times of single events are kept.
        repeatable: Whether it may be sent again when a kept-alive connection turns out closed.
        known: Whole answers that were found right; the same bytes again need no reading.
    """

    payload: bytes
    status: int
    contains: bytes
    bodyless: bool = False
    streams: bool = False
    repeatable: bool = False
    known: set[bytes] = field(default_factory=set, compare=False, repr=False)


def exchanges(request: RequestSpec, host: str) -> tuple[Exchange, ...]:
    """Return what a connection sends for one request: one exchange, or one per message.

    Raises:
        FreeloopError: If a header cannot be sent, or a WebSocket has no message to send.
    """
    contains = request.expect.contains.encode()
    if request.kind is Kind.WEBSOCKET:
        return _messages(request, contains)
    return (
        Exchange(
            payload=_request_bytes(request, host),
            status=request.expect.status,
            contains=contains,
            bodyless=request.method == "HEAD",
            streams=request.kind is Kind.STREAM,
            repeatable=not request.writes,
        ),
    )


def target(request: RequestSpec) -> str:
    """Return the path with query as it stands in the request line.

    Raises:
        ValueError: If the request's view was not reversed before.
    """
    if request.url is None:
        raise ValueError(f"request {request.name!r} has no url yet")
    return quote(request.url.partition("#")[0] or "/", safe=_PATH_SIGNS)


def extra_headers(request: RequestSpec) -> dict[str, str]:
    """Return the request's own headers with its cookies folded in.

    Raises:
        FreeloopError: If a name or a value would break the head of the request.
    """
    headers = dict(request.headers)
    if request.cookies:
        name = next((name for name in headers if name.lower() == "cookie"), "Cookie")
        own = [headers[name]] if headers.get(name) else []
        headers[name] = "; ".join(
            [*own, *(f"{key}={value}" for key, value in request.cookies.items())]
        )
    for name, value in headers.items():
        _check_header(request, name, value)
    return headers


def _messages(request: RequestSpec, contains: bytes) -> tuple[Exchange, ...]:
    if not request.send:
        raise FreeloopError(
            "websocket-sends-nothing",
            what="a WebSocket request has no message to send",
            where=f"request {request.name}",
            mend='give it messages that the server answers, such as send = ["ping"]',
        )
    last = len(request.send) - 1
    return tuple(
        Exchange(payload=text.encode(), status=101, contains=contains if index == last else b"")
        for index, text in enumerate(request.send)
    )


def _request_bytes(request: RequestSpec, host: str) -> bytes:
    own = extra_headers(request)
    headers = _without_overridden({"Host": host, "User-Agent": "freeloop", "Accept": "*/*"}, own)
    body = request.body or b""
    if body or request.method in _METHODS_WITH_BODY:
        headers["Content-Length"] = str(len(body))
    lines = [f"{request.method} {target(request)} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _without_overridden(defaults: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    given = {name.lower() for name in own}
    kept = {name: value for name, value in defaults.items() if name.lower() not in given}
    # The length is counted here: one that does not fit would leave the connection out of step.
    return kept | {name: value for name, value in own.items() if name.lower() != "content-length"}


def _check_header(request: RequestSpec, name: str, value: str) -> None:
    if _TOKEN.fullmatch(name) and _VALUE.fullmatch(value):
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            pass
        else:
            return
    raise FreeloopError(
        "header-cannot-be-sent",
        what=f"header {name!r} holds a character that HTTP does not allow",
        where=f"request {request.name}",
        mend="remove line breaks and escape signs outside Latin-1",
    )
