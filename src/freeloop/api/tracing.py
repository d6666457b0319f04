"""Trace: find and question the project, let its own interpreter record one request."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable
from pathlib import Path

from freeloop.api.options import TraceOptions
from freeloop.api.preparation import dressed, refuse_unknown_paths, refuse_unreachable
from freeloop.errors import FreeloopError
from freeloop.model.request import Kind, RequestSpec
from freeloop.model.trace import Trace
from freeloop.model.trace_codec import read_trace
from freeloop.source.conversation import Conversation, NotPossible
from freeloop.source.facts import Facts, Target, inspect_project, resolve
from freeloop.source.login import sessions_for
from freeloop.source.project import Project, find_project

# For importing the project, warming up and writing the file, beside the request itself.
SURPLUS_S = 60.0
INTERFACES = ("asgi", "wsgi")


def record_trace(
    request: RequestSpec,
    *,
    start: Path,
    settings: str | None,
    python: str | None,
    options: TraceOptions,
    announce: Callable[[str], None],
) -> Trace:
    """Record one request of the project; see `freeloop.trace`."""
    _refuse(request, options)
    project = find_project(start, settings=settings, python=python)
    facts = inspect_project(project)
    refuse_unreachable(facts)
    (target,) = resolve(project, [request])
    refuse_unknown_paths({target.request.name: target})
    for database in facts.databases:
        announce(f"database {database.sentence}")
    with sessions_for(project, [request.user] if request.user else []) as sessions:
        return record_target(project, facts, dressed(target, facts, sessions), options)


def record_target(project: Project, facts: Facts, target: Target, options: TraceOptions) -> Trace:
    """Record a request of a project that was questioned already; it is dressed and allowed."""
    with tempfile.TemporaryDirectory(prefix="freeloop-trace-") as folder:
        file = Path(folder) / "trace.json"
        patience_s = options.timeout_s * 2 + SURPLUS_S
        with Conversation(project, timeout_s=patience_s) as inside:
            try:
                inside.ask(
                    "trace",
                    application=facts.wsgi if options.interface == "wsgi" else facts.asgi,
                    interface=options.interface,
                    request=_plain(target.request, facts),
                    lines=options.lines,
                    relief=options.relief,
                    warm_up=options.warm_up,
                    timeout_s=options.timeout_s,
                    leave_after_s=options.leave_after_s,
                    database=[database.sentence for database in facts.databases],
                    file=str(file),
                )
            except NotPossible as answer:
                raise _refused(answer) from None
        return read_trace(file)


def _refused(answer: NotPossible) -> FreeloopError:
    said = answer.details
    what, where, mend = said["what"], said["where"], said["mend"]
    match said["slug"]:
        case "no-monitoring-tool":
            return FreeloopError("no-monitoring-tool", what=what, where=where, mend=mend)
        case "cannot-write":
            return FreeloopError("cannot-write", what=what, where=where, mend=mend)
        case _:
            return FreeloopError("broken-recording", what=what, where=where, mend=mend)


def _plain(request: RequestSpec, facts: Facts) -> dict[str, object]:
    """Return the request with all headers, as the load client of bench sends them."""
    named = {name.lower() for name in request.headers}
    headers = [] if "host" in named else [("Host", facts.host)]
    headers += list(request.headers.items())
    if request.cookies:
        headers.append(("Cookie", "; ".join(f"{a}={b}" for a, b in request.cookies.items())))
    body = request.body or b""
    if request.body is not None and "content-length" not in named:
        headers.append(("Content-Length", str(len(body))))
    return {
        "method": request.method,
        "url": request.url,
        "headers": headers,
        "body": base64.b64encode(body).decode("ascii"),
    }


def _refuse(request: RequestSpec, options: TraceOptions) -> None:
    if options.interface not in INTERFACES:
        raise FreeloopError(
            "unknown-interface",
            what=f"unknown interface {options.interface!r}",
            where="trace",
            mend="asgi or wsgi",
        )
    if request.kind is Kind.WEBSOCKET:
        raise FreeloopError(
            "websocket-trace",
            what=f"{request.name} is a WebSocket, which trace does not record",
            where=f"request {request.name}",
            mend="trace an HTTP request",
        )
    if request.writes and not options.allow_writes:
        twice = " twice: trace runs it once before, to warm up" if options.warm_up else ""
        raise FreeloopError(
            "writes-not-allowed",
            what=f"{request.name} uses {request.method}, which may change data{twice}",
            where="the database that the project's settings name",
            mend="use a database that may be changed and add --allow-writes",
        )
