"""Workers that are killed, forked and reloaded in the middle of a report: what had ended is told.

Each view blocks for a length of its own, so that every report can be told from the others.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.examples.cafe import free_port
from tests.projects.written import write_project

pytestmark = [pytest.mark.real, pytest.mark.needs("linux")]

PATIENCE_S = 40.0
VIEWS = """
import asyncio, os, time
from django.http import HttpResponse, StreamingHttpResponse

VERSION = 1

async def view(request):
    await asyncio.sleep(0)
    time.sleep(float(request.GET.get("hold", 0)))
    return HttpResponse(f"{os.getpid()} {VERSION}")

async def plain(request):
    return HttpResponse("plain", headers={"X-Own": "1"})

def in_thread(request):
    answer = HttpResponse(request.GET.get("word", ""))
    answer.set_cookie("seen", "yes")
    return answer

async def fails(request):
    raise LookupError("told to nobody")

async def stream(request):
    async def pieces():
        for each in "abc":
            await asyncio.sleep(0.01)
            yield each
    return StreamingHttpResponse(pieces())

async def blocks(request):
    time.sleep(0.05)
    return HttpResponse("late")
"""
URLS = """
from django.urls import path
import site_views as views
urlpatterns = [
    path(f"{each.__name__}/", each)
    for each in (
        views.view, views.plain, views.in_thread, views.fails, views.stream, views.blocks
    )
]
"""
ASGI = """
from django.core.asgi import get_asgi_application
application = get_asgi_application()
"""
UVICORN = ("-m", "uvicorn", "site_asgi:application", "--log-level=critical", "--no-date-header")
GUNICORN = (
    *("-m", "gunicorn", "site_asgi:application", "-k", "asgi", "--workers=2", "--preload"),
    *("--log-level=critical", "--graceful-timeout=10", "--no-control-socket"),
)


@dataclass(slots=True)
class Served:
    """A server whose workers write to one file."""

    port: int
    process: subprocess.Popen[bytes]
    file: Path
    open: list[threading.Thread] = field(default_factory=list)

    def ask(self, path: str) -> bytes:
        """Return the bytes of an answer, as they came."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as connection:
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
            )
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        return b"".join(parts)

    def hold(self, ms: int) -> tuple[int, int]:
        """Block a worker; return its pid and the version of its code."""
        pid, version = self.ask(f"/view/?hold={ms / 1000}").split()[-2:]
        return int(pid), int(version)

    def hold_meanwhile(self, ms: int) -> None:
        """Block a worker, and come back while it is blocked; no answer is fine."""

        def ask() -> None:
            with suppress(OSError, ValueError):
                self.hold(ms)

        self.open.append(threading.Thread(target=ask))
        self.open[-1].start()
        time.sleep(0.15)  # it is held now: nothing else tells

    def reports(self) -> list[dict[str, Any]]:
        """Return what was written about the blocks; every line must be whole."""
        text = self.file.read_text() if self.file.exists() else ""
        assert text == "" or text.endswith("\n")
        lines = [json.loads(line) for line in text.splitlines()]
        return [line for line in lines if line["route"] == "view/" and line["kind"] == "block"]

    def told(self, *expected: int) -> list[dict[str, Any]]:
        """Return the reports of blocks of these lengths, each exactly once; wait for them."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = self.reports()
            missing = [ms for ms in expected if not any(is_about(each, ms) for each in found)]
            if not missing:
                break
            assert time.monotonic() < deadline, (missing, [each["ms"] for each in found])
            time.sleep(0.05)
        for ms in expected:
            assert len([each for each in found if is_about(each, ms)]) == 1
        return found


def is_about(report: dict[str, Any], ms: int) -> bool:
    """Lengths are a hundred milliseconds apart."""
    return bool(ms - 20 <= report["ms"] <= ms + 60)


@contextmanager
def serving(
    folder: Path, command: Sequence[str], *, views: str = VIEWS, **environment: str
) -> Iterator[Served]:
    """Run the site on a server until the block is left."""
    write_project(folder, views, apps=["freeloop"])
    (folder / "site_urls.py").write_text(URLS)
    (folder / "site_asgi.py").write_text(ASGI)
    with (folder / "site_settings.py").open("a") as settings:
        settings.write(
            "MIDDLEWARE = ['django.middleware.security.SecurityMiddleware',"
            " 'django.middleware.common.CommonMiddleware']\n"
            "FREELOOP = {'WATCH': {'ENABLED': True}, 'RELIEF': {'ENABLED': True}}\n"
            "LOGGING['loggers'] = {'django': {'level': 'CRITICAL'}}\n"
        )
    port, file = free_port(), folder / "watch.jsonl"
    bind = f"--bind=127.0.0.1:{port}" if "gunicorn" in command else f"--port={port}"
    said = {
        "DJANGO_SETTINGS_MODULE": "site_settings",
        "FREELOOP_WATCH_LOG": str(file),
        "PYTHONPATH": str(folder),
    }
    process = subprocess.Popen(
        [sys.executable, *command, bind],
        cwd=folder,
        env=os.environ | said | environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    served = Served(port, process, file)
    try:
        until_answering(served)
        yield served
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for each in served.open:
            each.join(PATIENCE_S)


def until_answering(served: Served) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with suppress(OSError, http.client.HTTPException):
            if served.ask("/plain/"):
                return
        assert served.process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server does not answer"
        time.sleep(0.05)


def until_another(served: Served, *, than: tuple[int, ...], version: int = 1) -> int:
    """Return the pid of a worker that was not there before."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with suppress(OSError, ValueError):
            pid, found = served.hold(0)
            if pid not in than and found == version:
                return pid
        assert time.monotonic() < deadline, "no other worker comes up"
        time.sleep(0.05)


@pytest.mark.needs("gunicorn")
def test_forked_workers_are_watched_and_a_killed_one_loses_its_open_stretch_alone(
    tmp_path: Path,
) -> None:
    """The project is loaded before the fork, as `--preload` does."""
    with serving(tmp_path, GUNICORN) as served:
        first, _ = served.hold(200)
        second = until_another(served, than=(first,))
        before = served.told(200)
        served.hold_meanwhile(5000)
        (held,) = {first, second} - {until_another(served, than=())}
        os.kill(held, signal.SIGKILL)
        third = until_another(served, than=(first, second))
        lengths = {300: served.hold(300)[0], 400: served.hold(400)[0]}
        after = served.told(200, 300, 400)

    assert [each["process"]["pid"] for each in before] == [first]
    assert {each["process"]["pid"] for each in after} <= {first, second, third}
    for ms, pid in lengths.items():
        (report,) = [each for each in after if is_about(each, ms)]
        assert report["process"]["pid"] == pid
    assert max(each["ms"] for each in after) < 1000


@pytest.mark.needs("gunicorn")
def test_a_graceful_reload_loses_not_even_the_open_stretch(tmp_path: Path) -> None:
    """SIGHUP: the old workers finish what they do, new ones come up."""
    with serving(tmp_path, GUNICORN) as served:
        first, _ = served.hold(200)
        served.hold_meanwhile(600)
        os.kill(served.process.pid, signal.SIGHUP)
        second = until_another(served, than=(first,))
        served.hold(400)
        found = served.told(200, 400, 600)

    assert second != first
    assert {each["frames"][0][2] for each in found} == {"view"}


@pytest.mark.needs("uvicorn")
def test_a_reload_by_a_changed_file_loses_nothing_that_had_ended(tmp_path: Path) -> None:
    """The worker is told to end while its loop is held, and the next one has the new code."""
    with serving(tmp_path, (*UVICORN, "--reload", "--timeout-graceful-shutdown=5")) as served:
        first, _ = served.hold(200)
        served.hold_meanwhile(600)
        time.sleep(1.1)  # what is noticed is a time in whole seconds, on some file systems
        views = tmp_path / "site_views.py"
        views.write_text(VIEWS.replace("VERSION = 1", "VERSION = 2"))
        second = until_another(served, than=(first,), version=2)
        served.hold(400)
        found = served.told(200, 400, 600)

    assert {each["process"]["pid"] for each in found} == {first, second}


PATHS = ("/plain/", "/in_thread/?word=yes", "/fails/", "/stream/", "/blocks/", "/nowhere/")


@pytest.mark.needs("uvicorn")
def test_answers_are_equal_to_the_byte_with_and_without_it_and_with_relief(
    tmp_path: Path,
) -> None:
    """Whatever the server sends: status line, headers in their order, body, chunks."""
    answers, reported = {}, {}
    for watch in "01":
        for relief in "01":
            folder = tmp_path / f"watch{watch}-relief{relief}"
            folder.mkdir()
            switches = {"FREELOOP_WATCH": watch, "FREELOOP_RELIEF": relief}
            with serving(folder, UVICORN, **switches) as served:
                answers[watch, relief] = [served.ask(path) for path in PATHS]
                time.sleep(0.3)
            reported[watch, relief] = (folder / "watch.jsonl").exists()

    assert {each[9:12] for each in answers["0", "0"]} == {b"200", b"404", b"500"}
    for found in answers.values():
        assert found == answers["0", "0"]
    assert reported == {key: key[0] == "1" for key in reported}
