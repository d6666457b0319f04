"""A project served by uvicorn and granian through freeloop.asgi answers as with Django's own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.examples.cafe import free_port
from tests.relief.safety.observed import masked
from tests.relief.safety.project.told import PLAIN

ROOT = Path(__file__).parents[3]
MODULE = "tests.relief.safety.applications"
PATIENCE_S = 30.0
SERVERS = {
    "uvicorn": ("uvicorn", "--log-level=critical", "--port={port}"),
    "granian": ("granian", "--interface=asgi", "--log-level=critical", "--port={port}"),
}
PATHS = ("/", "/nowhere/", "/page", "/de/translated/", *(f"/{name}/" for name in PLAIN))
COOKIES = {"Cookie": f"csrftoken={'s' * 32}; sessionid=unknown; django_language=fr"}
ASKED: list[tuple[str, str, dict[str, Any]]] = [
    *(("GET", path, {}) for path in PATHS),
    *(("GET", path, {"headers": {"Host": "evil.example"}}) for path in PATHS[:3]),
    *(("HEAD", path, {"headers": COOKIES}) for path in PATHS),
    *(("POST", path, {"content": b"a=1", "headers": COOKIES}) for path in PATHS),
    ("POST", "/upload/", {"files": {"file": b"x" * 50_000}}),
]

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@contextmanager
def serving(server: str, application: str, folder: Path) -> Iterator[httpx.Client]:
    """Run the project on the server, with a database of its own."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    environment = {**os.environ, "SAFETY_FOLDER": str(folder), "PYTHONPATH": path}
    subprocess.run([sys.executable, "-m", MODULE], env=environment, check=True)
    port = free_port()
    command = [each.format(port=port) for each in SERVERS[server]]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", *command, f"{MODULE}:{application}"],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
            _until_answering(client, process)
            yield client
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_answering(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            client.get("/hello/")
        except httpx.TransportError:
            assert process.poll() is None, f"the server ended with {process.returncode}"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)
        else:
            return


def answers(client: httpx.Client) -> list[tuple[Any, ...]]:
    """Return each answer as the wire brought it, without what is random."""
    found = []
    for method, path, given in ASKED:
        # A client that keeps no cookies: each request is one of its own.
        client.cookies.clear()
        answer = client.request(method, path, **given)
        headers = [(name, masked(value)) for name, value in answer.headers.multi_items()]
        found.append((method, path, answer.status_code, headers, masked(answer.text)))
    return found


@pytest.mark.parametrize("server", SERVERS)
def test_every_answer_of_a_real_server_is_stocks(server: str, tmp_path: Path) -> None:
    """Status, headers in order, cookies and body, as a client gets them."""
    (tmp_path / "stock").mkdir()
    (tmp_path / "relieved").mkdir()
    with serving(server, "stock", tmp_path / "stock") as client:
        stock = answers(client)
    with serving(server, "relieved", tmp_path / "relieved") as client:
        relieved = answers(client)

    for one, other in zip(stock, relieved, strict=True):
        assert other == one
    assert {200, 301, 302, 400, 403, 404, 500} & {each[2] for each in stock} >= {200, 400, 404, 500}


@pytest.mark.parametrize("server", SERVERS)
def test_a_client_that_leaves_a_stream_leaves_nothing_behind(server: str, tmp_path: Path) -> None:
    """Twenty leave in the middle; the server closes their streams and answers the next."""
    with serving(server, "relieved", tmp_path) as client:
        for number in range(20):
            with client.stream("GET", "/endless/") as response:
                assert next(response.iter_raw()).startswith(b"more")
            deadline = time.monotonic() + PATIENCE_S
            while client.get("/closed_streams/").text != f"{number + 1}":
                assert time.monotonic() < deadline, "a stream was not closed"
                time.sleep(0.02)
