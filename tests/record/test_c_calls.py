"""What a function reaches in C: the real primitives of real calls, with the line that made them."""

from __future__ import annotations

import asyncio
import functools
import sqlite3
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from freeloop.record.c_calls import CCalls, calls_of, name_of

ANSWER_MS = 50
SLEPT_MS = 30
MS = 1_000_000


class Slow(BaseHTTPRequestHandler):
    """Answers after a while."""

    def do_GET(self) -> None:
        """Answer."""
        time.sleep(ANSWER_MS / 1000)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A real server on the loopback interface."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def callers(found: CCalls, name: str) -> set[str]:
    """Names of the functions that called it."""
    return {call.caller.function for call in found.calls if call.name == name and call.caller}


def nap() -> None:
    time.sleep(SLEPT_MS / 1000)


def nap_twice() -> None:
    for _ in range(2):
        nap()


def test_a_sleep_is_found_below_a_helper_with_its_line_and_its_wait() -> None:
    """The place is the helper's, the stack leads to the function that was asked about."""
    found = calls_of(nap_twice, root=Path(__file__).parent)

    (call,) = found.waiting(SLEPT_MS * MS // 2)
    assert call.name == "time.sleep"
    assert call.count == 2
    assert set(found.names()) == {"time.sleep", "range"}
    assert [(place.path, place.function) for place in call.stack] == [
        ("test_c_calls.py", "nap"),
        ("test_c_calls.py", "nap_twice"),
    ]
    assert call.caller is not None
    assert call.caller.line == nap.__code__.co_firstlineno + 1
    assert 2 * SLEPT_MS * MS * 0.9 <= call.waited_ns <= call.took_ns


@pytest.mark.parametrize("fetch", [requests.get, urllib.request.urlopen])
def test_http_clients_reach_the_socket_and_wait_in_its_receiving(
    fetch: Callable[[str], object], address: str
) -> None:
    """The client's own code does not matter: in the end a socket connects, sends and receives."""
    found = calls_of(fetch, address)

    assert found.raised == ""
    names = set(found.names())
    assert {"_socket.socket.connect", "_socket.socket.sendall"} <= names
    assert [call.name for call in found.waiting(ANSWER_MS * MS // 2)] == [
        "_socket.socket.recv_into"
    ]
    assert callers(found, "_socket.socket.recv_into") == {"SocketIO.readinto"}


def test_reading_files_reaches_io(tmp_path: Path) -> None:
    """By `open` and by `pathlib`, which opens inside of the standard library."""
    file = tmp_path / "menu.txt"
    file.write_text("soup")

    def by_hand() -> str:
        with open(file) as opened:  # noqa: PTH123 - the builtin is what is looked for
            return opened.read()

    by_open, by_path = calls_of(by_hand), calls_of(file.read_text)

    assert {"_io.open", "_io.TextIOWrapper.read"} <= set(by_open.names())
    assert callers(by_open, "_io.open") == {by_hand.__qualname__}
    assert {"_io.open", "_io.TextIOWrapper.read"} <= set(by_path.names())
    assert any("Path" in name for name in callers(by_path, "_io.TextIOWrapper.read"))


def test_sqlite_is_reached_and_a_locked_database_waits(tmp_path: Path) -> None:
    """Another connection holds the file: the time until "database is locked" is a wait."""
    file = tmp_path / "menu.sqlite3"
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("CREATE TABLE dish (name TEXT)")
    holder.execute("BEGIN EXCLUSIVE")

    def dishes() -> list[object]:
        connection = sqlite3.connect(file, timeout=0.1)
        try:
            return connection.execute("SELECT name FROM dish").fetchall()
        finally:
            connection.close()

    locked = calls_of(dishes)
    holder.execute("COMMIT")
    free = calls_of(dishes)
    holder.close()

    assert locked.raised == "sqlite3.OperationalError: database is locked"
    assert [call.name for call in locked.waiting(50 * MS)] == ["sqlite3.Connection.execute"]
    assert free.raised == ""
    assert {"_sqlite3.connect", "sqlite3.Connection.execute", "sqlite3.Cursor.fetchall"} <= set(
        free.names()
    )


def test_an_async_function_is_asked_about_through_asyncio_run() -> None:
    """Its blocking sleep is its own line; waiting for the loop is the selector's."""

    async def mixed() -> None:
        await asyncio.sleep(SLEPT_MS / 1000)
        time.sleep(SLEPT_MS / 1000)  # the blocking call that is looked for

    found = calls_of(asyncio.run, mixed())

    assert callers(found, "time.sleep") == {mixed.__qualname__}
    waited = {call.name for call in found.waiting(SLEPT_MS * MS // 2)}
    assert waited in ({"time.sleep", "select.epoll.poll"}, {"time.sleep", "select.kqueue.control"})


def test_a_function_that_computes_waits_for_nothing() -> None:
    """It reaches C, as everything does; CPU time is no wait."""

    def compute() -> int:
        return sum(sorted(range(300_000), key=lambda number: -number))

    found = calls_of(compute)

    assert {"sum", "sorted"} <= set(found.names())
    assert found.waiting(SLEPT_MS * MS) == ()


def test_other_threads_are_left_out() -> None:
    """What a thread that was started does is its own affair; the start is ours."""
    slept = threading.Event()

    def elsewhere() -> None:
        nap()
        slept.set()

    def start() -> None:
        threading.Thread(target=elsewhere).start()

    found = calls_of(start)

    assert slept.wait(10)
    assert "time.sleep" not in found.names()
    assert any(name.startswith("_thread.start") for name in found.names())


def test_a_function_that_raises_tells_what_it_reached_before() -> None:
    def fails() -> None:
        time.sleep(0)
        raise LookupError("no dish")

    found = calls_of(fails)

    assert found.raised == "LookupError: no dish"
    assert "time.sleep" in found.names()


def test_nothing_is_left_behind() -> None:
    """No tool id, no event on the code: the next call of it costs what it did before."""
    before = [sys.monitoring.get_tool(number) for number in range(6)]

    calls_of(nap)

    assert [sys.monitoring.get_tool(number) for number in range(6)] == before
    sys.monitoring.use_tool_id(3, "look")
    try:
        assert sys.monitoring.get_local_events(3, nap.__code__) == 0
        assert sys.monitoring.get_events(3) == 0
    finally:
        sys.monitoring.free_tool_id(3)


class Plain:
    """Written in Python, without a constructor."""


class DishError(ValueError):
    """Made by C."""


class Loud(list[int]):
    """Overrides a method of C, and calls it."""

    def append(self, thing: int) -> None:
        """Add."""
        super().append(thing)


def test_a_method_in_c_is_named_by_its_own_class_below_an_override() -> None:
    """Django's cursor of SQLite overrides `execute` and calls that of sqlite3 by `super`."""
    found = calls_of(lambda: Loud().append(1))

    assert "list.append" in found.names()


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (time.sleep, "time.sleep"),
        (functools.partial(functools.partial(time.sleep), 0), "time.sleep"),
        (len, "len"),
        ("".join, "str.join"),
        (str.join, "str.join"),
        (dict.fromkeys, "dict.fromkeys"),
        (threading.Lock().acquire, "_thread.lock.acquire"),
        (int, "int"),
        (DishError, "ValueError"),
        (sqlite3.Connection, "sqlite3.Connection"),
        (functools.lru_cache(nap), "functools._lru_cache_wrapper"),
        (nap, None),
        (functools.partial(nap), None),
        (Slow.do_GET, None),
        (Plain, None),
        (Plain().__str__, "object.__str__"),
        (Slow, None),
    ],
)
def test_names_are_those_of_what_is_in_c(function: object, name: str | None) -> None:
    """A method is named by the class that defines it; what Python runs is no function in C."""
    assert name_of(function) == name
