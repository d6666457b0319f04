"""The slow supplier: `/wait?ms=50` is answered after exactly 50 ms, on one event loop.

`python -m upstream [--port N]` prints its address on one line and serves until SIGTERM, SIGINT,
or until whoever started it with a pipe as standard input is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import stat
import sys
import threading
from collections import deque
from typing import cast
from urllib.parse import parse_qs, urlsplit

DEFAULT_MS = 50
LONGEST_MS = 60_000
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


class Supplier(asyncio.Protocol):
    """One keep-alive connection; pipelined requests are answered in order."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.received = b""
        self.asked: deque[bytes] = deque()
        self.answering: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an isinstance check: uvloop's transports are not subclasses of asyncio's.
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.answering is not None:
            self.answering.cancel()

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            self.asked.append(head)
        if self.answering is None:
            self._take_next()

    def _take_next(self) -> None:
        self.answering = None
        if not self.asked:
            return
        status, ms = read(self.asked.popleft())
        loop = asyncio.get_running_loop()
        self.answering = loop.call_later(ms / 1000, self._answer, status, ms)

    def _answer(self, status: int, ms: int) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        body = b'{"waited_ms": %d}' % ms if status == 200 else b'{"waited_ms": null}'
        head = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: keep-alive\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self._take_next()


def read(head: bytes) -> tuple[int, int]:
    """Return the status to answer with, and after how many milliseconds."""
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3:
        return 400, 0
    method, target, _ = words
    url = urlsplit(target)
    asked = parse_qs(url.query).get("ms", [str(DEFAULT_MS)])[0]
    if method != "GET":
        return 405, 0
    if url.path.rstrip("/") != "/wait":
        return 404, 0
    if not asked.isdecimal() or int(asked) > LONGEST_MS:
        return 400, 0
    return 200, int(asked)


async def serve(port: int) -> None:
    """Serve on the loopback interface until told to end; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, ended.set)
    if _standard_input_is_a_pipe():
        watcher = threading.Thread(target=_await_end_of_input, args=(loop, ended), daemon=True)
        watcher.start()
    server = await loop.create_server(Supplier, "127.0.0.1", port, backlog=2048)
    # Written below Python's buffers and not through print: the reader waits for this line.
    line = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n"
    os.write(sys.stdout.fileno(), line.encode())
    await ended.wait()
    server.close()


def _standard_input_is_a_pipe() -> bool:
    # Under a service manager standard input is /dev/null, whose end says nothing.
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _await_end_of_input(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    # The loop may have ended for another reason meanwhile.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(ended.set)


def main() -> None:
    parser = argparse.ArgumentParser(prog="upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    port = parser.parse_args().port
    try:
        from uvloop import new_event_loop
    except ImportError:
        asyncio.run(serve(port))
    else:
        asyncio.run(serve(port), loop_factory=new_event_loop)


if __name__ == "__main__":
    main()
