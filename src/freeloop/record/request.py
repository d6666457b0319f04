"""The request as a server would hand it on, and what became of it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

PORT = 8000
CLIENT = ("127.0.0.1", 50000)
MASKED_VALUE = "***"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        method: In capitals.
        url: Path and query, percent-encoded.
        headers: Name and value, in the order in which they are sent.
        body: As sent.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def path(self) -> bytes:
        """The path, decoded."""
        return unquote_to_bytes(urlsplit(self.url).path)

    @property
    def query(self) -> str:
        """The query, as sent."""
        return urlsplit(self.url).query

    @property
    def shown(self) -> str:
        """The path with the names of its query; the values are masked."""
        parts = urlsplit(self.url)
        names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
        query = "&".join(f"{name}={MASKED_VALUE}" for name in names)
        return f"{parts.path}?{query}" if query else parts.path


@dataclass(slots=True)
class Answered:
    """What the application answered, filled as it comes.

    Attributes:
        status: None until it was sent.
        headers: As sent.
        chunks: Parts of the body; empty unless they were asked for.
        sent_bytes: Length of the body.
        streamed: Whether the application said, with a part, that more would come.
        error: What left the application, "" for nothing.
    """

    status: int | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    chunks: list[bytes] = field(default_factory=list)
    sent_bytes: int = 0
    streamed: bool = False
    error: str = ""


def asked_from(data: dict[str, Any]) -> Asked:
    """Return the request that a question describes; its body is written in base 64."""
    headers = [(str(name), str(value)) for name, value in data["headers"]]
    return Asked(
        method=data["method"],
        url=data["url"],
        headers=tuple(headers),
        body=base64.b64decode(data.get("body") or ""),
    )
