from __future__ import annotations

import asyncio
import contextlib
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import ServerConnection, serve

from freeloop.errors import FreeloopError
from freeloop.measure.load import Load
from freeloop.model.request import Expect, Kind, RequestSpec
from tests.measure.client.scripted import open_load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.http11 import Request, Response

    from freeloop.measure.client import RawEngine

pytestmark = pytest.mark.real

ECHO = RequestSpec(
    name="chat",
    url="/echo/",
    kind=Kind.WEBSOCKET,
    send=("one", "two"),
    cookies={"sessionid": "x"},
    expect=Expect(contains="two"),
)


@contextlib.contextmanager
def echoing() -> Iterator[tuple[int, list[str]]]:
    """Serve WebSockets in a thread: yields the port and a list of what came."""
    seen: list[str] = []
    port: list[int] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def echo(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen.append(f"cookie {socket.request.headers['Cookie']}")
        await asyncio.sleep(0.02)
        await socket.send("welcome")
        async for message in socket:
            seen.append(str(message))
            await asyncio.sleep(0.02)
            await socket.send(message)

    def gate(socket: ServerConnection, request: Request) -> Response | None:
        if request.path == "/closed/":
            return socket.respond(HTTPStatus.FORBIDDEN, "members only")
        return None

    async def run() -> None:
        async with serve(echo, "127.0.0.1", 0, process_request=gate) as server:
            port.append(next(iter(server.sockets)).getsockname()[1])
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield port[0], seen
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def test_a_greeting_is_not_taken_for_an_answer(engine: RawEngine) -> None:
    """Taken for one it would shift every later answer by one, and look very fast."""
    with echoing() as (port, _):
        (result,) = engine.run(Load(port=port, requests=(ECHO,), connections=3, seconds=0.3))

    assert result.failed == 0
    assert result.latency_ms.min() >= 19


def test_each_message_is_one_request_with_one_answer(engine: RawEngine) -> None:
    """Connected once; the messages go round in their order, with the cookies of the user."""
    with echoing() as (port, seen):
        (result,) = engine.run(open_load(port, ECHO, count=6, rate_rps=10))

    assert (result.completed, result.failed) == (6, 0)
    assert seen == ["cookie sessionid=x", *["one", "two"] * 3]
    assert result.latency_ms.min() >= 19


def test_closed_sockets_keep_their_own_order(engine: RawEngine) -> None:
    """A conversation is one connection's: two sockets do not share its turns."""
    with echoing() as (port, seen):
        (result,) = engine.run(Load(port=port, requests=(ECHO,), connections=2, seconds=0.3))

    assert result.failed == 0
    assert result.completed >= 10
    assert seen.count("one") - seen.count("two") in {0, 1, 2}


def test_a_refused_handshake_is_counted_with_its_status(engine: RawEngine) -> None:
    """A consumer that rejects, or a path that no consumer has."""
    closed = RequestSpec(name="closed", url="/closed/", kind=Kind.WEBSOCKET, send=("hi",))

    with echoing() as (port, _):
        (result,) = engine.run(open_load(port, closed, count=3))

    assert result.failures == {"status 403": 3}
    assert "members only" in result.sample_failure


def test_a_websocket_does_not_share_a_load(engine: RawEngine) -> None:
    """Connections of two protocols in one load would have no common count."""
    mixed = (ECHO, RequestSpec(name="page", url="/"))

    with pytest.raises(FreeloopError) as caught:
        engine.run(Load(port=1, requests=mixed))

    assert caught.value.slug == "websocket-beside-others"
