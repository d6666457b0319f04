"""The slow supplier waits as long as it is asked to, and ends with whoever started it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.examples.cafe import CAFE, PATIENCE_S, at_once

pytestmark = pytest.mark.real


@pytest.fixture
def supplier() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "upstream"]
    with subprocess.Popen(
        command, cwd=CAFE, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


def address_of(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def test_an_answer_never_comes_early_and_waits_overlap(
    supplier: subprocess.Popen[bytes],
) -> None:
    """Every number about outbound calls rests on this wait."""
    address = address_of(supplier)

    answers, together_s = at_once(20, lambda: httpx.get(f"{address}/wait?ms=300", timeout=30))

    assert [answer.json() for answer in answers] == [{"waited_ms": 300}] * 20
    # uvloop counts in whole milliseconds, so a wait may end one early.
    assert 0.299 <= together_s < 20 * 0.3 / 2


def test_one_connection_serves_many_requests_in_order(
    supplier: subprocess.Popen[bytes],
) -> None:
    """Keep-alive is what a shared client is for; pipelined requests keep their order."""
    port = int(address_of(supplier).rpartition(":")[2])
    request = b"GET /wait?ms=%d HTTP/1.1\r\nHost: cafe\r\n\r\n"

    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request % 40 + request % 1)
        received = b""
        while received.count(b"waited_ms") < 2:
            received += connection.recv(4096)

    assert received.index(b'"waited_ms": 40') < received.index(b'"waited_ms": 1}')


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/wait?ms=soup", 400), ("GET", "/menu", 404), ("POST", "/wait", 405)],
)
def test_a_wrong_request_gets_a_clear_status(
    supplier: subprocess.Popen[bytes], method: str, path: str, status: int
) -> None:
    """A view that calls it wrongly must fail, or a plan would measure nothing."""
    answer = httpx.request(method, address_of(supplier) + path)

    assert answer.status_code == status


def test_it_ends_when_its_input_closes(supplier: subprocess.Popen[bytes]) -> None:
    """A killed parent cannot send a signal, but its pipe closes."""
    address_of(supplier)
    assert supplier.stdin is not None

    supplier.stdin.close()

    assert supplier.wait(PATIENCE_S) == 0


def test_it_ends_cleanly_on_a_signal_during_a_wait(supplier: subprocess.Popen[bytes]) -> None:
    """Nobody waits for a delivery that nobody will take."""
    port = int(address_of(supplier).rpartition(":")[2])
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /wait?ms=30000 HTTP/1.1\r\nHost: cafe\r\n\r\n")

        supplier.send_signal(signal.SIGTERM)

        assert supplier.wait(PATIENCE_S) == 0
    assert time.monotonic() - started < 30
