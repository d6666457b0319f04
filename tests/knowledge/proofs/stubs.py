"""Local servers that the exercises talk to: real sockets on the loopback interface.

HTTP answers everything, as S3 and SQS would to boto3 as well; SMTP takes every letter; a store
answers Django's cache. redis and PostgreSQL are the real programs.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, HTTPServer

PATIENCE_S = 20


class _Web(BaseHTTPRequestHandler):
    """Answers any method with a small document, or a large one where the path says so."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asks_json = "json" in self.headers.get("Content-Type", "") or "/json" in self.path
        body = b"{}" if asks_json else b"<A/>"
        kind = "application/json" if body == b"{}" else "text/xml"
        if "large" in self.path:  # more than one reading of a socket brings
            body = b"line\n" * 20_000
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815 - fixed

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class _Mail(socketserver.StreamRequestHandler):
    """Says yes to every command of SMTP."""

    def handle(self) -> None:
        self._say("220 stub")
        while line := self.rfile.readline():
            command = line.strip().upper()
            if command == b"DATA":
                self._say("354 go on")
                while self.rfile.readline().strip() != b".":
                    pass
            self._say("221 bye" if command == b"QUIT" else "250 yes")
            if command == b"QUIT":
                return

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(text.encode() + b"\r\n")


class _Echo(socketserver.BaseRequestHandler):
    """Sends back what comes."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.request.recv(1000):
                self.request.sendall(data)


class _Store(socketserver.StreamRequestHandler):
    """Speaks enough of Redis for Django's cache: one value, which every key has."""

    def handle(self) -> None:
        queued = -1  # outside of a transaction
        with contextlib.suppress(OSError):
            while head := self.rfile.readline():
                command = self._command(int(head[1:]))
                if command[0] == b"MULTI":
                    queued = 0
                    self.wfile.write(b"+OK\r\n")
                elif command[0] == b"EXEC":
                    self.wfile.write(b"*%d\r\n" % queued + b"+OK\r\n" * queued)
                    queued = -1
                elif queued >= 0:
                    queued += 1
                    self.wfile.write(b"+QUEUED\r\n")
                else:
                    self.wfile.write(self._answer(command))

    def _command(self, parts: int) -> list[bytes]:
        sizes_and_texts = (
            self.rfile.read(int(self.rfile.readline()[1:]) + 2) for _ in range(parts)
        )
        return [text[:-2].upper() for text in sizes_and_texts]

    @staticmethod
    def _answer(command: list[bytes]) -> bytes:
        match command:
            case [b"HELLO", *_]:
                return b"%1\r\n$5\r\nproto\r\n:3\r\n"
            case [b"GET", _]:
                return b"$1\r\n1\r\n"
            case [b"MGET", *keys]:
                return b"*%d\r\n" % len(keys) + b"$1\r\n1\r\n" * len(keys)
            case [b"EXISTS" | b"DEL" | b"EXPIRE" | b"PERSIST" | b"INCRBY", *_]:
                return b":1\r\n"
            case _:
                return b"+OK\r\n"


class _Threads(socketserver.ThreadingTCPServer):
    """Lets a client go away in the middle, as one line of code does."""

    daemon_threads = True

    def handle_error(self, *_of: object) -> None:
        """Say nothing."""


class _WebThreads(_Threads, HTTPServer):
    """The same for HTTP."""


@contextlib.contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    """Serve in a thread, and yield the port."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    with server:
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def web() -> Iterator[int]:
    """Serve HTTP."""
    with serving(_WebThreads(("127.0.0.1", 0), _Web)) as port:
        yield port


@contextlib.contextmanager
def mail() -> Iterator[int]:
    """Serve SMTP."""
    with serving(_Threads(("127.0.0.1", 0), _Mail)) as port:
        yield port


@contextlib.contextmanager
def store() -> Iterator[int]:
    """Serve as Redis would, as far as Django's cache asks."""
    with serving(_Threads(("127.0.0.1", 0), _Store)) as port:
        yield port


@contextlib.contextmanager
def echo() -> Iterator[int]:
    """Serve whatever is sent."""
    with serving(_Threads(("127.0.0.1", 0), _Echo)) as port:
        yield port


@contextlib.contextmanager
def redis() -> Iterator[int]:
    """Run a redis-server that keeps nothing; port 0 lets none choose, so a free one is given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    program = shutil.which("redis-server")
    assert program is not None, "redis-server is not installed"
    with tempfile.TemporaryDirectory() as folder:
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        try:
            _until_open(port)
            yield port
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL, and yield its address."""
    from tests.relief.isolation.databases import postgres  # imports its driver

    with postgres() as address:
        yield address


STUBS: Mapping[str, Callable[[], AbstractContextManager[object]]] = {
    "web": web,
    "mail": mail,
    "echo": echo,
    "store": store,
    "redis": redis,
    "postgresql": postgresql,
}


def _until_open(port: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing answers on port {port}")
