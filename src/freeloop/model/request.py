"""RequestSpec: one request, as bench loads it and trace records it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

SAFE_METHODS = frozenset({"GET", "HEAD"})


class Kind(StrEnum):
    """How the answer arrives."""

    HTTP = "http"
    STREAM = "stream"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class Expect:
    """What counts as a right answer.

    Attributes:
        status: HTTP status code; 101 is implied for a WebSocket.
        contains: Text that the body (or the last WebSocket message) must contain; "" accepts any.
    """

    status: int = 200
    contains: str = ""


@dataclass(frozen=True, slots=True)
class RequestSpec:
    """One request; either `url` or `view` names its target.

    Attributes:
        name: Label in tables; unique within a plan.
        url: Path with query, starting with "/"; None until a view name is reversed.
        view: URL name to reverse ("reports:list"); None when `url` is given.
        args: Positional arguments for reversing `view`.
        kwargs: Keyword arguments for reversing `view`.
        method: HTTP method in capitals.
        headers: Extra headers, by name.
        cookies: Cookies, by name.
        body: Body as sent, or None.
        user: Name of the user whose session is used; None is anonymous.
        kind: How the answer arrives.
        send: WebSocket messages to send, each answered by one message.
        expect: What counts as a right answer.
    """

    name: str
    url: str | None = None
    view: str | None = None
    args: tuple[str, ...] = ()
    kwargs: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    user: str | None = None
    kind: Kind = Kind.HTTP
    send: tuple[str, ...] = ()
    expect: Expect = field(default_factory=Expect)

    @property
    def writes(self) -> bool:
        """Whether the method may change data, so that `--allow-writes` is needed."""
        return self.method not in SAFE_METHODS

    def at(self, url: str) -> RequestSpec:
        """Return the same request with its path known."""
        return replace(self, url=url)

    def with_cookies(self, cookies: Mapping[str, str]) -> RequestSpec:
        """Return the same request with these cookies added."""
        return replace(self, cookies={**self.cookies, **cookies})
