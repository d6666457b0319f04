"""One request to a real ASGI application, message by message, on an event loop of its own.

The test is the server: it decides when the body comes, when the client goes away, and at which
step of the request that happens.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from freeloop import relief

Message = dict[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]
PATIENCE_S = 30.0

_loops: list[threading.Thread] = []


@dataclass(frozen=True, slots=True)
class Asked:
    """What the client asks.

    Attributes:
        target: Path and query.
        headers: Pairs, beside Host.
        body: In the pieces in which the server hands it on.
    """

    target: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: tuple[bytes, ...] = ()
    host: str = "testserver"

    def scope(self) -> Message:
        """Return the ASGI scope."""
        parts = urlsplit(self.target)
        pairs = (("host", self.host), *self.headers)
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": unquote(parts.path),
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs],
            "client": ("127.0.0.1", 50000),
            "server": ("testserver", 80),
        }


@dataclass(slots=True)
class Answer:
    """What the application sent.

    Attributes:
        messages: In order.
        raised: What the application itself raised, or None.
    """

    messages: list[Message] = field(default_factory=list)
    raised: BaseException | None = None

    @property
    def status(self) -> int:
        """Status code; 0 if there was no answer."""
        return int(self.messages[0]["status"]) if self.messages else 0

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """As sent, in order."""
        return list(self.messages[0]["headers"]) if self.messages else []

    @property
    def body(self) -> bytes:
        """All pieces together."""
        return b"".join(each.get("body", b"") for each in self.messages[1:])

    @property
    def whole(self) -> bool:
        """Whether the last piece came."""
        return len(self.messages) > 1 and not self.messages[-1].get("more_body", False)

    def header(self, name: str) -> str | None:
        """Return the first header of this name."""
        wanted = name.lower().encode()
        return next((v.decode("latin-1") for n, v in self.headers if n.lower() == wanted), None)


async def ask(
    application: Application,
    asked: Asked | str = "/",
    *,
    gone: asyncio.Event | None = None,
    on_send: Callable[[Message], Awaitable[None]] | None = None,
) -> Answer:
    """Ask and return the answer; what the application raises is part of it.

    Args:
        application: Any ASGI application.
        asked: A path is a GET.
        gone: Set when the client goes away; None is a client that stays.
        on_send: Awaited with each message, as a server that is slow to send.
    """
    asked = Asked(asked) if isinstance(asked, str) else asked
    gone = asyncio.Event() if gone is None else gone
    answer = Answer()
    pieces = list(asked.body) or [b""]

    async def receive() -> Message:
        if pieces:
            body = pieces.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(pieces)}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answer.messages.append(message)
        if on_send is not None:
            await on_send(message)

    try:
        await application(asked.scope(), receive, send)
    except (Exception, asyncio.CancelledError) as raised:
        answer.raised = raised
    return answer


def on_a_loop[T](main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run the coroutine function in a new thread, whose loop owns no database connection."""
    result: list[T] = []
    raised: list[BaseException] = []

    async def patiently() -> T:
        async with asyncio.timeout(PATIENCE_S):
            return await main()

    def run() -> None:
        try:
            result.append(asyncio.run(patiently()))
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="loop of the test")
    _loops.append(thread)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return result[0]


def loop_thread() -> int:
    """Return the identity of the last loop's thread."""
    return (_loops[-1].ident or 0) if _loops else 0


def answer_of(application: Application, asked: Asked | str = "/") -> Answer:
    """Ask on a loop of its own."""

    async def main() -> Answer:
        return await ask(application, asked)

    return on_a_loop(main)


@contextmanager
def relieved(*, on: bool = True) -> Iterator[None]:
    """Have relief installed for the handlers that are built inside, or be sure that it is not."""
    assert relief.installed_parts() == ()
    if not on:
        yield
        return
    parts = relief.install()
    assert {"request thread", "request signals", "response closing", "middleware"} <= set(parts)
    try:
        yield
    finally:
        assert relief.uninstall() == ()


@dataclass(slots=True)
class Steps:
    """Counts the suspensions of all tasks of a loop; calls `then` at one of them.

    Attributes:
        at: Which suspension, from 1; 0 is none.
        then: Called once.
        count: How many there were.
    """

    at: int = 0
    then: Callable[[], object] = lambda: None
    count: int = 0

    def watch(self) -> None:
        """Count in every task made from now on; on the running loop."""
        asyncio.get_running_loop().set_task_factory(self._task)

    def _task(self, loop: Any, coroutine: Any, **options: Any) -> Any:
        return asyncio.Task(_Counted(coroutine, self), loop=loop, **options)

    def suspended(self) -> None:
        """Count one."""
        self.count += 1
        if self.count == self.at:
            self.then()


class _Counted(Coroutine[Any, Any, Any]):
    """A coroutine whose suspensions are counted; also right for a task that never starts."""

    def __init__(self, coroutine: Any, steps: Steps) -> None:
        self._coroutine = coroutine
        self._steps = steps

    def send(self, value: Any) -> Any:
        waited_for = self._coroutine.send(value)
        self._steps.suspended()
        return waited_for

    def throw(self, *raised: Any) -> Any:
        waited_for = self._coroutine.throw(*raised)
        self._steps.suspended()
        return waited_for

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError("a task drives it")
