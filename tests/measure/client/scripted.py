"""A real server whose every byte is the test's: one coroutine per connection."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freeloop.measure.load import Load, LoadResult
from freeloop.model.request import RequestSpec

if TYPE_CHECKING:
    from freeloop.measure.client import RawEngine

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass
class Seen:
    """What the server saw.

    Attributes:
        port: Where it listens.
        connections: Connections accepted.
        requests: Heads with bodies, in the order in which they came.
    """

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


class Peer:
    """The server's end of one connection."""

    def __init__(
        self, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        seen.connections += 1
        self.number = seen.connections
        self._seen = seen
        self._reader = reader
        self._writer = writer

    async def request(self) -> bytes:
        """Read one request; ends the connection's coroutine when the client has gone."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        request = head + await self._reader.readexactly(length)
        self._seen.requests.append(request)
        return request

    async def send(self, *pieces: bytes, gap_s: float = 0.0) -> None:
        """Send pieces one by one, with a gap after each."""
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            await asyncio.sleep(gap_s)

    def reset(self) -> None:
        """End the connection the rude way."""
        self._writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


@contextlib.contextmanager
def serving(script: Script) -> Iterator[Seen]:
    """Serve in a thread; the connection is closed when its script ends."""
    seen = Seen()
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(_serve(script, seen, ready, stop)), daemon=True
    )
    thread.start()
    ready.wait()
    try:
        yield seen
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def always(*pieces: bytes, gap_s: float = 0.0) -> Script:
    """Return a script that answers every request with the same pieces."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(*pieces, gap_s=gap_s)

    return script


def load_once(engine: RawEngine, port: int, *requests: RequestSpec, count: int = 1) -> LoadResult:
    """Send `count` requests on one connection at most, slowly enough to count them."""
    (result,) = engine.run(open_load(port, *requests, count=count))
    return result


def open_load(
    port: int,
    *requests: RequestSpec,
    count: int,
    rate_rps: float = 100.0,
    connections: int = 1,
    timeout_s: float = 5.0,
) -> Load:
    """Return an open load with a known number of requests."""
    from freeloop.model.run import Arrivals

    return Load(
        port=port,
        requests=requests or (RequestSpec(name="page", url="/"),),
        arrivals=Arrivals.OPEN,
        connections=connections,
        seconds=count / rate_rps,
        rate_rps=rate_rps,
        timeout_s=timeout_s,
    )


async def _serve(script: Script, seen: Seen, ready: threading.Event, stop: asyncio.Event) -> None:
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await script(Peer(seen, reader, writer))
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=512)
    seen.port = server.sockets[0].getsockname()[1]
    ready.set()
    await stop.wait()
    server.close()
    talking = list(tasks)
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)
