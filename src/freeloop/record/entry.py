"""The door for a process that runs inside the project: question in, trace file out."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from freeloop.errors import FreeloopError
from freeloop.model.trace_codec import write_trace
from freeloop.record.assemble import DoesNotPair
from freeloop.record.request import asked_from
from freeloop.record.session import Options, Recording, record_asgi, record_wsgi


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Record the request of a question and write its trace to the file that it names."""
    if question["relief"]:
        from freeloop import relief

        relief.install()
    options = Options(
        root=question["root"],
        lines=question["lines"],
        warm_up=question["warm_up"],
        timeout_s=question["timeout_s"],
        leave_after_s=question["leave_after_s"],
        database=tuple(question["database"]),
    )
    try:
        recording = _record(question, options)
    except DoesNotPair as fault:
        raise FreeloopError(
            "broken-recording",
            what=f"freeloop recorded nonsense: {fault}",
            where="its own recorder, not the project",
            mend="please report it, with the view that was traced",
        ) from fault
    write_trace(recording.trace, Path(question["file"]))
    return {"file": question["file"]}


def _record(question: dict[str, Any], options: Options) -> Recording:
    application = _application(question["application"], question["interface"])
    asked = asked_from(question["request"])
    if question["interface"] == "wsgi":
        return record_wsgi(application, asked, options)
    return record_asgi(application, asked, options)


def _application(named: str | None, interface: str) -> Any:
    """Return the project's own application, or the one that Django makes where it has none."""
    if named:
        module, _, attribute = named.partition(":")
        return getattr(importlib.import_module(module), attribute)
    if interface == "wsgi":
        from django.core.wsgi import get_wsgi_application

        return get_wsgi_application()
    from django.core.asgi import get_asgi_application

    return get_asgi_application()
