"""Many requests at once on one event loop, through the real ASGI handler, with faults.

Run as a program it is one site: `python -m tests.relief.isolation.storm stock|relief`. It reads one
plan a line (JSON) and answers each with what the site noted.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from itertools import count
from typing import Any

import django

VISITORS = 24
PATIENCE_S = 20.0
# PostgreSQL gives a site so many connections.
MOST_AT_ONCE = 80
# asgiref (seen in 3.13.0): a client that leaves in the moment in which a sync function starts or
# ends its `async_to_sync` leaves a dead executor with the request, and the clean-up fails. So it is
# in stock Django: 6 of 4500 requests of the seeds 0 to 14; with relief 7.
BROKEN_BRIDGE = "CurrentThreadExecutor already quit or is broken"
SECRET = "abcdefghijklmnopqrstuvwxyzabcd"

_numbers = count(1)
_cookies: dict[int, dict[str, str]] = {}


def prepare() -> None:
    """Make the tables and the visitors, each with a session."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS kept_marks (what text, mark text)")
        cursor.execute("DELETE FROM kept_marks")
    for index in range(VISITORS):
        user, _ = User.objects.get_or_create(username=f"visitor {index}")
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session["owner"] = index
        session.save()
        assert session.session_key
        _cookies[index] = {
            "sessionid": session.session_key,
            "csrftoken": f"{SECRET}{index:02}",
        }
    connection.close()


@contextmanager
def chain(kinds: list[tuple[int, str]]) -> Iterator[Any]:
    """Give a handler with the default middleware and others at the places named."""
    from django.conf import settings
    from django.core.handlers.asgi import ASGIHandler
    from django.test import override_settings

    from tests.relief.isolation.middleware import PATHS

    names = list(settings.MIDDLEWARE)
    for place, kind in sorted(kinds, reverse=True):
        names.insert(place, PATHS[kind])
    with override_settings(MIDDLEWARE=names):
        yield ASGIHandler()


class Request:
    """One request, with the fault that its plan names, as a server would make it."""

    def __init__(self, plan: dict[str, Any]) -> None:
        from tests.relief.isolation.marks import Mark

        self.plan = plan
        self.mark = Mark(next(_numbers), plan["visitor"])
        self.context: contextvars.Context | None = None
        self.gone = asyncio.Event()
        self.status = 0
        self.body = b""
        self._asked = False

    async def run(self, application: Any, gate: asyncio.Semaphore) -> None:
        """Ask, disturb, and look at the answer."""
        async with gate:
            for _ in range(self.plan.get("wait", 0)):
                await asyncio.sleep(0)
            answering = application(self._scope(), self._receive, self._send)
            task = asyncio.create_task(answering, context=self.context)
            await self._disturb(task)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await asyncio.wait({task})
            except TimeoutError:
                task.cancel()
                self._complain("never ended")
                return
            finally:
                # Whoever still listens (Django 5.2 and 6.0, after a cancellation) hears the end.
                self.gone.set()
        self._judge(task)

    async def _disturb(self, task: asyncio.Task[None]) -> None:
        from tests.relief.isolation.marks import notebook

        match self.plan.get("fault"):
            case [kind, int(ticks)]:
                for _ in range(ticks):
                    if task.done():
                        return
                    await asyncio.sleep(0)
            case [kind, "at a step"]:
                arrived = asyncio.create_task(notebook.arrival(self.mark).wait())
                await asyncio.wait({arrived, task}, return_when=asyncio.FIRST_COMPLETED)
                arrived.cancel()
            case _:
                return
        if kind == "cancel":
            notebook.cancelled(self.mark)
            task.cancel()
        else:
            self.gone.set()

    def _judge(self, task: asyncio.Task[None]) -> None:
        from tests.relief.isolation.marks import notebook

        fault = self.plan.get("fault") or [""]
        if not task.cancelled() and (error := task.exception()) is not None:
            from tests.relief.isolation.views import Planned

            planned = isinstance(error, Planned) and self.plan["view"] == "stream"
            if fault[0] == "disconnect" and str(error) == BROKEN_BRIDGE:
                notebook.broken_bridges += 1
            elif not planned:
                self._complain("broke: " + "".join(traceback.format_exception(error))[-2000:])
        elif task.cancelled() and fault[0] != "cancel":
            self._complain("was cancelled")
        raises = "raise" in self.plan["steps"] or self.plan.get("raise")
        whole = fault[0] not in ("cancel", "disconnect") and not raises
        if whole and (self.status != 200 or not self.body.endswith(self.mark.text.encode())):
            self._complain(f"got {self.status} {self.body[:300]!r}")
        if self.status == 200 and not self.mark.text.encode().startswith(
            self.body.lstrip(b".")[: len(self.mark.text)]
        ):
            self._complain(f"got the answer {self.body!r}")

    def _complain(self, sentence: str) -> None:
        from tests.relief.isolation.marks import notebook

        notebook.complain(self.mark, f"client of {self.plan}", sentence)

    def _scope(self) -> dict[str, Any]:
        prefix = self.mark.prefix.rstrip("/")
        cookies = "; ".join(f"{k}={v}" for k, v in _cookies[self.mark.visitor].items())
        headers = {
            "host": "testserver",
            "x-number": str(self.mark.number),
            "x-visitor": str(self.mark.visitor),
            "x-steps": json.dumps(self.plan["steps"]),
            "accept-language": self.mark.asked_language,
            "cookie": cookies,
        }
        if pausing := self.plan.get("pause"):
            headers["x-pause"] = pausing
        if raising := self.plan.get("raise"):
            headers["x-raise"] = raising
        method = self.plan.get("method", "GET")
        if method == "POST":
            headers["x-csrftoken"] = _cookies[self.mark.visitor]["csrftoken"]
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": f"{prefix}/{self.plan['view']}/",
            "raw_path": b"",
            "root_path": prefix,
            "query_string": b"",
            "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        # A server may wait here for its client.
        await asyncio.sleep(0)
        if message["type"] == "http.response.start":
            self.status = message["status"]
            for name, value in message["headers"]:
                if name.lower() == b"set-cookie":
                    self._keep_cookie(value.decode())
        else:
            self.body += message.get("body", b"")

    def _keep_cookie(self, header: str) -> None:
        own = _cookies[self.mark.visitor]
        for name, morsel in SimpleCookie(header).items():
            if name == "csrftoken" and morsel.value != own["csrftoken"]:
                self._complain("was given the csrf token of another")
            elif name == "sessionid" and morsel.value != own["sessionid"]:
                self._complain("was given another session")
            elif name == "messages":
                own["messages"] = morsel.value


async def storm(plan: dict[str, Any]) -> dict[str, Any]:
    """Run the requests of one plan together; return what was noted, and what is left."""
    from tests.relief.isolation.lifetimes import settled
    from tests.relief.isolation.marks import notebook

    before = set(threading.enumerate())
    if plan.get("collector") == "off":
        gc.disable()
    notebook.loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(plan.get("at_once", MOST_AT_ONCE))
    with chain([(place, kind) for place, kind in plan["stack"]]) as application:
        requests = [Request(each) for each in plan["requests"]]
        if plan.get("one_context"):
            # What no server does: to show that this would be seen.
            shared = contextvars.copy_context()
            for request in requests:
                request.context = shared
        async with asyncio.TaskGroup() as group:
            for request in requests:
                group.create_task(request.run(application, gate))
    await settled()
    # Cancelled requests of Django 5.2 and 6.0 go on unattended.
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=PATIENCE_S)
    faults = [each.get("fault") or ("",) for each in plan["requests"]]
    if django.VERSION < (6, 1) and any(fault[0] == "cancel" for fault in faults):
        # A cancelled request leaves its thread there, in stock as with relief: it ends with
        # whatever holds the request's context. Nothing can be said about threads.
        left = []
    else:
        left = await _threads_left(before, plan.get("patience_s", PATIENCE_S))
    gc.enable()
    answer = notebook.read_out()
    statuses: dict[str, int] = {}
    for request in requests:
        statuses[str(request.status)] = statuses.get(str(request.status), 0) + 1
    return {**answer, "threads_left": left, "statuses": statuses}


async def _threads_left(before: set[threading.Thread], patience_s: float) -> list[str]:
    """Name the request threads that do not end; the loop's own executor keeps its threads."""
    deadline = time.monotonic() + patience_s
    while True:
        left = [
            thread.name
            for thread in set(threading.enumerate()) - before
            if not thread.name.startswith("asyncio_")
        ]
        if not left or time.monotonic() > deadline:
            return left
        await asyncio.sleep(0.01)


async def serve() -> None:
    """Answer plans until there are no more."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        plan = json.loads(line)
        if "requests" not in plan:
            answer: dict[str, Any] = {"collected": gc.collect()}
        else:
            answer = await storm(plan)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


class AsyncNothing:
    """Enters nothing: all requests share asgiref's one thread."""

    async def __aenter__(self) -> None:
        """Enter nothing."""

    async def __aexit__(self, *_raised: object) -> None:
        """Leave nothing."""


def main() -> None:
    """Set the site up, stock or relieved, and serve plans."""
    if sys.argv[1] == "relief":
        from freeloop.relief import install

        assert install()
    else:
        os.environ["FREELOOP_RELIEF"] = "0"
    if sys.argv[1] == "one thread":
        # What relief must never do: to show that this would be seen.
        from django.core.handlers import asgi

        asgi.ThreadSensitiveContext = AsyncNothing  # type: ignore[attr-defined]
    django.setup()
    prepare()
    sys.stdout.write(json.dumps({"ready": django.__version__}) + "\n")
    sys.stdout.flush()
    asyncio.run(serve())


if __name__ == "__main__":
    main()
