"""The doubt switch for development: every GET is answered stock, and compared with relief.

The client gets stock's answer. Afterwards the same request is answered stock once more and then
relieved, both to nobody. What the two stock answers agree on, the relieved one must agree on too:
a page with a random token differs from itself, and says nothing about relief.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freeloop.relief import switch
from freeloop.relief.request_thread import RequestThread, leave_stock

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("freeloop.relief.verify")

# Longer or slower answers are not compared: an event stream may never end.
LONGEST_BYTES = 1024 * 1024
LONGEST_S = 30.0


@dataclass(slots=True)
class Answer:
    """One answer as the server was sent it."""

    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    cookies: tuple[str, ...] = ()
    body: bytes = b""
    whole: bool = False
    too_long: bool = False
    parts: list[bytes] = field(default_factory=list)

    def add(self, message: Any) -> None:
        """Take one ASGI message in."""
        if message["type"] == "http.response.start":
            named = [(bytes(name).lower(), bytes(value)) for name, value in message["headers"]]
            self.status = message["status"]
            self.headers = tuple(sorted(pair for pair in named if pair[0] != b"set-cookie"))
            self.cookies = tuple(
                sorted(_cookie_shape(value) for name, value in named if name == b"set-cookie")
            )
        elif message["type"] == "http.response.body" and not self.too_long:
            self.parts.append(bytes(message.get("body", b"")))
            self.too_long = sum(map(len, self.parts)) > LONGEST_BYTES
            if not message.get("more_body"):
                self.body, self.whole = b"".join(self.parts), True


def verified_handle(handle: Callable[..., Any]) -> Callable[..., Any]:
    """Return `ASGIHandler.handle` of one handler, verifying its GET requests."""

    async def verifying(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("method") != "GET" or not switch.on():
            await handle(scope, receive, send)
            return
        first = Answer()

        async def send_and_keep(message: Any) -> None:
            first.add(message)
            await send(message)

        leave_stock()
        await handle(scope, receive, send_and_keep)
        if not first.whole:
            return
        try:
            async with asyncio.timeout(LONGEST_S):
                again = await _answer_to_nobody(handle, scope, relieved=False)
                relieved = await _answer_to_nobody(handle, scope, relieved=True)
        except TimeoutError:
            return
        for part in differences(first, again, relieved):
            logger.error("relief answers %s %s: %s", scope["method"], scope["path"], part)

    return verifying


def differences(first: Answer, again: Answer, relieved: Answer) -> tuple[str, ...]:
    """Return what differs with relief and not between the two stock answers, as sentences."""
    return tuple(
        f"{name} differs: {getattr(first, name)!r:.300} stock, {getattr(relieved, name)!r:.300}"
        for name in ("status", "headers", "cookies", "body")
        if getattr(first, name) == getattr(again, name) != getattr(relieved, name)
    )


async def _answer_to_nobody(handle: Callable[..., Any], scope: Any, *, relieved: bool) -> Answer:
    answer = Answer()
    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Any:
        for message in asked:
            return message
        # The client of this answer never goes away.
        return await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        answer.add(message)

    async def request() -> None:
        async with RequestThread(relieved=relieved):
            await handle(dict(scope), receive, send)

    # A request of its own: nothing of the one that is being served is seen in it.
    await asyncio.create_task(request(), context=contextvars.Context())
    return answer


def _cookie_shape(header: bytes) -> str:
    """Return a Set-Cookie header without its value and its date, which differ each time."""
    first, *attributes = header.decode("latin-1").split(";")
    kept = [each.strip() for each in attributes if not each.strip().lower().startswith("expires")]
    return "; ".join([first.partition("=")[0], *sorted(kept)])
