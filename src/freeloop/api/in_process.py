"""One request through the ASGI handler of the project that runs in this very process: for tests."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from freeloop.errors import FreeloopError
from freeloop.judge.reading import read
from freeloop.model.demand import Demand
from freeloop.model.reading import Reading
from freeloop.model.timeline import Timeline
from freeloop.model.trace import LaneKind, Trace
from freeloop.record.request import Asked
from freeloop.record.session import Options, Recording, record_asgi
from freeloop.source.inside import facts


@dataclass(frozen=True, slots=True)
class Seen:
    """The answer to a request, and what the request took.

    Attributes:
        status: Of the answer; None when none was sent.
        headers: As sent, names in lower case; of several with one name the last.
        body: Whole.
        reading: What was concluded of the recording; `reading.findings` says what blocks the loop.
        connections_held: Database connections held at once, at the most.
    """

    status: int | None
    headers: Mapping[str, str]
    body: bytes
    reading: Reading
    connections_held: int

    @property
    def trace(self) -> Trace:
        """The recording."""
        return self.reading.trace

    @property
    def demand(self) -> Demand:
        """What the request took of each resource: `hops`, `queries`, `loop_ms`, ..."""
        return self.reading.demand


def application(named: str | None) -> Any:
    """Return the project's ASGI application, ready to be asked.

    Args:
        named: "module:attribute"; found as a server would be told if None.

    Raises:
        FreeloopError: If Django has no settings, or the application cannot be imported.
    """
    import django
    from django.apps import apps
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        wanted = named or getattr(settings, "ASGI_APPLICATION", None)
        if not apps.ready:
            django.setup()
    except (ImproperlyConfigured, ImportError) as error:
        raise FreeloopError(
            "no-settings",
            what=f"Django cannot read its settings: {error}",
            where="the process that runs the tests",
            mend="set DJANGO_SETTINGS_MODULE, or install pytest-django and set it in pytest's file",
        ) from None
    # Without a module of settings (`settings.configure`) there is no asgi.py beside it either.
    found, failure = wanted, None
    if facts.VARIABLE in os.environ:
        found, failure = facts.application("asgi", wanted)
    if found is None and failure is None:
        from django.core.asgi import get_asgi_application

        return get_asgi_application()
    module, _, attribute = (found or "").replace(":", ".").rpartition(".")
    message = "" if failure is None else failure["message"]
    if not message:
        try:
            return getattr(importlib.import_module(module), attribute)
        except Exception as error:  # noqa: BLE001, RUF100 - whatever the module does at import
            message = f"{type(error).__name__}: {error}"
    raise FreeloopError(
        "application-does-not-import",
        what=f"the ASGI application cannot be imported: {message}",
        where=str(wanted or "asgi.py beside the settings"),
        mend="set freeloop_application = MODULE:ATTRIBUTE in pytest's file",
    )


def ask(
    application: Any,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    root: str,
    timeout_s: float,
) -> Seen:
    """Record one request on a thread and loop of its own, whatever runs in this one."""
    asked = Asked(method, url, _headers(headers, body), body)
    # Not twice: a test has its own idea of what was there before.
    options = Options(root=root, lines=False, warm_up=False, timeout_s=timeout_s, keep=True)
    done: list[Recording] = []
    fault: list[BaseException] = []

    def record() -> None:
        try:
            done.append(record_asgi(application, asked, options))
        except BaseException as error:  # noqa: BLE001, RUF100 - raised again in the test's thread
            fault.append(error)

    thread = threading.Thread(target=record, name="freeloop request", daemon=True)
    thread.start()
    thread.join()
    if fault:
        raise fault[0]
    answered, reading = done[0].answered, read(done[0].trace)
    return Seen(
        status=answered.status,
        headers={
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in answered.headers
        },
        body=b"".join(answered.chunks),
        reading=reading,
        connections_held=most_connections(reading.trace, reading.timeline),
    )


def most_connections(trace: Trace, timeline: Timeline) -> int:
    """Return how many database connections were held at once, at the most."""
    edges = []
    for lane in trace.lanes:
        segments = timeline.lanes[lane.id]
        if lane.kind is LaneKind.CONNECTION and segments:
            edges += [(segments[0].start_ns, 1), (segments[-1].end_ns, -1)]
    held = most = 0
    for _, step in sorted(edges):
        held += step
        most = max(most, held)
    return most


def _headers(given: Mapping[str, str], body: bytes) -> tuple[tuple[str, str], ...]:
    from django.conf import settings

    named = {name.lower() for name in given}
    found = list(given.items())
    if "host" not in named:
        host = facts.allowed_host(list(settings.ALLOWED_HOSTS), debug=settings.DEBUG)
        found.append(("Host", host or "testserver"))
    if body and "content-length" not in named:
        found.append(("Content-Length", str(len(body))))
    return tuple(found)
