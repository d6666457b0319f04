"""A raw server on uvloop that answers after an exact time, or stalls on a schedule.

Run as `python benchmarks/exact_server.py --wait-ms 50` or `... --stall-ms 400 --every-ms 2000`;
the first line it prints is its port. It ends when its stdin ends.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import uvloop

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nServer: exact\r\n"
    b"X-Frame-Options: DENY\r\nContent-Length: 13\r\n\r\nDone waiting!"
)


class ExactAnswer(asyncio.Protocol):
    """Answers each request, however its bytes arrive, after `wait_s`."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._pending = b""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each head that is complete."""
        *heads, self._pending = (self._pending + data).split(b"\r\n\r\n")
        for _ in heads:
            if self._wait_s:
                self._loop.call_later(self._wait_s, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        # wrk hangs up with requests in flight.
        if not self._transport.is_closing():
            self._transport.write(ANSWER)


async def serve(wait_s: float, stall_s: float, every_s: float) -> None:
    """Serve until stdin ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ExactAnswer(wait_s), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    if stall_s:
        stalling = loop.create_task(_stall(stall_s, every_s))
    await ended.wait()
    if stall_s:
        stalling.cancel()


async def _stall(stall_s: float, every_s: float) -> None:
    """Hold the event loop for `stall_s`, once in every `every_s`."""
    due_s = time.monotonic() + every_s / 2
    while True:
        await asyncio.sleep(due_s - time.monotonic())
        time.sleep(stall_s)  # noqa: ASYNC251 - a blocked loop is what this server is for
        due_s += every_s


@contextlib.contextmanager
def running(*options: str) -> Iterator[tuple[int, int]]:
    """Run this file in a process of its own and yield its port and process id."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__)), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.stdin.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wait-ms", type=float, default=0.0)
    parser.add_argument("--stall-ms", type=float, default=0.0)
    parser.add_argument("--every-ms", type=float, default=2000.0)
    given = parser.parse_args()
    uvloop.run(serve(given.wait_ms / 1e3, given.stall_ms / 1e3, given.every_ms / 1e3))
