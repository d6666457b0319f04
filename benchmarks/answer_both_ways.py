"""Inside a project: ask for paths without and with recording, and compare the bytes.

    python answer_both_ways.py SETTINGS INTERFACE [USER@]PATH ...

Prints one JSON line for each path. It is asked for without recording, with recording, and without
again. Headers and body must be equal. Where the two answers without recording differ from one
another already (a token, a time), the recorded one may differ too, in the words of those lines.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freeloop.model.trace import Edge
from freeloop.record import asgi, wsgi
from freeloop.record.request import Answered, Asked
from freeloop.record.session import Options, record_asgi, record_wsgi

# Where they differ, a line of each is kept, as evidence: so much of it.
SHOWN = 160
WORD = re.compile(rb"[A-Za-z0-9.]+")

type Shown = tuple[int | None, list[bytes]]


def main(settings: str, interface: str, paths: list[str]) -> None:
    """Compare each path and print what was found."""
    sys.path.insert(0, str(Path.cwd()))
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    import django

    django.setup()
    application = application_of(interface)
    for named in paths:
        user, at, path = named.rpartition("@")
        headers = [("Host", "127.0.0.1")]
        if at:
            headers.append(("Cookie", cookie_of(user)))
        asked = Asked("GET", path, tuple(headers))
        sys.stdout.write(json.dumps({"path": path, **both(application, asked, interface)}) + "\n")


def application_of(interface: str) -> Any:
    """Return the project's handler."""
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application

    return get_asgi_application() if interface == "asgi" else get_wsgi_application()


def cookie_of(user: str) -> str:
    """Return the cookies of a new session of a user."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.get_by_natural_key(user))
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def both(application: Any, asked: Asked, interface: str) -> dict[str, Any]:
    """Return how one path answers without, with, and without recording."""
    record = record_asgi if interface == "asgi" else record_wsgi
    options = Options(root=str(Path.cwd()), warm_up=False, keep=True)
    plainly(application, asked, interface)  # warms up
    before = shown(plainly(application, asked, interface))
    recording = record(application, asked, options)
    recorded = shown(recording.answered)
    after = shown(plainly(application, asked, interface))
    trace = recording.trace
    kinds = Counter(mark.kind.value for mark in trace.marks if mark.edge is not Edge.END)
    return {
        "interface": interface,
        "status": recording.answered.status,
        "bytes": recording.answered.sent_bytes,
        "same": before == recorded == after,
        **compared(before, recorded, after),
        "error": trace.request.error,
        "probes_off": dict(trace.environment.probes_off),
        "dropped": trace.environment.dropped,
        "marks": dict(kinds),
    }


def plainly(application: Any, asked: Asked, interface: str) -> Answered:
    """Ask once, without recording."""
    if interface == "asgi":
        return asyncio.run(by_asgi(application, asked))
    answered = Answered()
    thread = threading.Thread(
        target=lambda: wsgi.answer(application, asked, answered, keep=True), name="request"
    )
    thread.start()
    thread.join()
    return answered


async def by_asgi(application: Any, asked: Asked) -> Answered:
    """Ask by ASGI."""
    exchange = asgi.Exchange(asked, keep=True)
    await application(exchange.scope(), exchange.receive, exchange.send)
    return exchange.answered


def shown(answered: Answered) -> Shown:
    """Return status, and headers and body as lines."""
    headers = sorted(b"%s: %s" % each for each in answered.headers)
    return answered.status, [*headers, b"", *b"".join(answered.chunks).split(b"\n")]


def compared(before: Shown, recorded: Shown, after: Shown) -> Mapping[str, Any]:
    """Return the lines that change by themselves, and those that recording changed."""
    lines = [before[1], recorded[1], after[1]]
    if len({len(each) for each in lines}) > 1:
        return {"lines": [len(each) for each in lines], "volatile": None, "changed": None}
    volatile, changed = [], []
    for first, middle, last in zip(*lines, strict=True):
        if first == last != middle or skeleton(first) == skeleton(last) != skeleton(middle):
            changed.append(middle)
        elif first != last:
            volatile.append(first)
    return {
        "lines": [len(each) for each in lines],
        "volatile": [each.decode("utf-8", "replace").strip()[:SHOWN] for each in volatile],
        "changed": [each.decode("utf-8", "replace").strip()[:SHOWN] for each in changed],
    }


def skeleton(line: bytes) -> bytes:
    """Return a line without its words and numbers."""
    return WORD.sub(b"w", line)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
