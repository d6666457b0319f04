"""The planted project on a real server, asked one situation after the other."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import websockets

from tests.examples.cafe import free_port
from tests.watch.site.planted import Situation

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0
# Until what belongs to a situation has been reported: episodes are, one second on.
SETTLE_S = 0.25
SETTLE_HIDDEN_S = 1.3

_UVICORN = ("-m", "uvicorn", "tests.watch.site.application:application", "--log-level=critical")
COMMANDS = {
    "uvicorn asyncio": (*_UVICORN, "--loop=asyncio"),
    "uvicorn uvloop": (*_UVICORN, "--loop=uvloop"),
    "granian": (
        *("-m", "granian", "tests.watch.site.application:application", "--interface=asgi"),
        *(
            "--host=127.0.0.1",
            "--no-access-log",
            "--log-level=critical",
            "--workers-kill-timeout=2",
        ),
    ),
}


@dataclass(slots=True)
class Site:
    """A server that answers.

    Attributes:
        port: On the loopback.
        reports: File of the lines it writes.
        seen: How many of them have been read.
    """

    port: int
    reports: Path
    seen: int = 0

    def bring_about(self, situation: Situation) -> list[str]:
        """Ask for the situation; return the lines that were reported about it."""
        self.new_lines()
        if situation.protocol == "websocket":
            # A tool that raises into the application makes the server refuse.
            with contextlib.suppress(websockets.WebSocketException):
                asyncio.run(self._talk(situation.url))
        else:
            with contextlib.suppress(http.client.HTTPException):
                self.get(situation.url)
        hidden = bool(situation.causes & HIDDEN)
        lines: list[str] = []
        deadline = time.monotonic() + (SETTLE_HIDDEN_S if hidden else SETTLE_S)
        while time.monotonic() < deadline and not (lines and situation.causes):
            time.sleep(0.02)
            lines += self.new_lines()
        time.sleep(0.05)  # a second report about it would be one too many
        return lines + self.new_lines()

    def get(self, path: str) -> bytes:
        """Return the body of an answer, whatever its status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse().read()
        finally:
            connection.close()

    async def _talk(self, path: str) -> None:
        async with websockets.connect(f"ws://127.0.0.1:{self.port}{path}") as socket:
            await socket.send("hello")
            await socket.recv()

    def new_lines(self) -> list[str]:
        """Return the reports that came since the last call."""
        whole = self.reports.read_text().splitlines(keepends=True)
        lines = [line for line in whole[self.seen :] if line.endswith("\n")]
        self.seen += len(lines)
        return lines


def python_path() -> str:
    """Return where this repository's tests are found, and whatever was there before."""
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))


def listed() -> dict[str, Situation]:
    """Return what is planted, by name, as a process of its own tells it."""
    said = subprocess.run(
        [sys.executable, "-m", "tests.watch.site.listing"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": python_path()},
        capture_output=True,
        check=True,
    )
    return {
        fields["name"]: Situation(**fields | {"causes": frozenset(fields["causes"])})
        for fields in json.loads(said.stdout)
    }


HIDDEN = frozenset(
    {"serialised", "executor-queue", "pool-wait", "deadlock", "lost-exception", "outlives-request"}
)


@contextmanager
def serving(
    folder: Path, command: Sequence[str], port_option: str = "--port", **environment: str
) -> Iterator[Site]:
    """Run the planted project on a server until the block is left."""
    reports = folder / "reports.jsonl"
    reports.write_text("")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, *command, f"{port_option}={port}"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": python_path(), "WATCH_REPORTS": str(reports)} | environment,
    )
    site = Site(port, reports)
    try:
        _until_answering(site, process)
        yield site
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_answering(site: Site, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            site.get("/plain_hello/7/")
        except OSError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)
        else:
            return
