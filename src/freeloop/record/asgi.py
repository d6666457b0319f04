"""An ASGI application as a server calls it: lifespan, scope, receive, send."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from freeloop.record.request import CLIENT, PORT, Answered, Asked

type Message = dict[str, Any]
type Application = Callable[[Any, Any, Any], Awaitable[None]]

LIFESPAN_S = 10.0


class Exchange:
    """One request and its answer, from the application's side.

    Attributes:
        answered: What came so far.
        first_byte: Called before the first part of the body is taken.
    """

    def __init__(self, asked: Asked, *, keep: bool = False) -> None:
        self.asked = asked
        self.answered = Answered()
        self.first_byte: Callable[[], object] = lambda: None
        self._keep = keep
        self._unread = True
        self._gone = asyncio.Event()

    def scope(self) -> Message:
        """Return the scope as uvicorn makes it."""
        asked = self.asked
        path = asked.path
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in asked.headers
        ]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", PORT),
            "client": CLIENT,
            "scheme": "http",
            "method": asked.method,
            "root_path": "",
            "path": path.decode("utf-8", "replace"),
            "raw_path": asked.url.partition("?")[0].encode("ascii", "replace"),
            "query_string": asked.query.encode("ascii", "replace"),
            "headers": headers,
            "state": {},
        }

    async def receive(self) -> Message:
        """Give the body, and after it nothing until the client is gone."""
        if self._unread:
            self._unread = False
            return {"type": "http.request", "body": self.asked.body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take what the application answers."""
        answered = self.answered
        if message["type"] == "http.response.start":
            answered.status = message["status"]
            answered.headers = tuple((bytes(a), bytes(b)) for a, b in message.get("headers", ()))
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            if not answered.sent_bytes and body:
                self.first_byte()
            answered.sent_bytes += len(body)
            if self._keep:
                answered.chunks.append(bytes(body))
            if message.get("more_body", False):
                answered.streamed = True
            else:
                self._gone.set()

    def leave(self) -> None:
        """Let the client close the connection."""
        self._gone.set()


class Lifespan:
    """The application's start and end, for those that take part in it."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._to: asyncio.Queue[Message] = asyncio.Queue()
        self._from: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Tell the application that it starts; Django alone refuses, as servers expect."""
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._task = asyncio.ensure_future(self._run(scope))
        await self._say("lifespan.startup")

    async def stop(self) -> None:
        """Tell it that it ends."""
        if self._task is not None and not self._task.done():
            await self._say("lifespan.shutdown")
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self, scope: Message) -> None:
        with suppress(Exception):
            await self._application(scope, self._to.get, self._from.put)

    async def _say(self, kind: str) -> None:
        assert self._task is not None  # started
        await self._to.put({"type": kind})
        answer = asyncio.ensure_future(self._from.get())
        await asyncio.wait(
            {answer, self._task}, timeout=LIFESPAN_S, return_when=asyncio.FIRST_COMPLETED
        )
        answer.cancel()
