"""All that can be seen of one request: answer, queries, log records, connections, context left.

Two observations of the same request compare equal when nothing but random values differ.
"""

from __future__ import annotations

import gzip
import logging
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
from django.core.handlers.asgi import ASGIHandler
from django.dispatch import Signal
from django.urls import get_script_prefix, get_urlconf
from django.utils import timezone, translation

from tests.relief.safety.database import connections_made, queries_made
from tests.relief.safety.exchange import Answer, Asked, ask, loop_thread, on_a_loop

_DJANGO = Path(django.__file__).parent
_RELIEF = str(Path(sys.modules["freeloop.relief"].__file__ or "").parent)
_MIDDLEWARE = (
    str(_DJANGO / "middleware"),
    *(f"{_DJANGO}/contrib/{each}/middleware.py" for each in ("auth", "messages", "sessions")),
)
# Opening, listing, importing, connecting: what a hook on the event loop must never do.
_WAITS = ("open", "import", "socket.", "sqlite3.", "os.", "shutil.", "tempfile.", "subprocess.")

_RANDOM = (
    # First: a signature may hold, between two dashes, what looks like one of the others.
    (re.compile(r"[\w.=-]+:[A-Za-z0-9]{6}:[\w-]{43}"), "<signed>"),
    # The nonce of a content security policy, a csrf token and its secret, a session key, dates.
    (re.compile(r"(?<=nonce[=-])\"?[\w-]{22}"), "<nonce>"),
    (re.compile(r"\b[A-Za-z0-9]{64}\b"), "<64>"),
    (re.compile(r"\b[A-Za-z0-9]{32}\b"), "<32>"),
    (re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d (GMT|[+-]\d{4})"), "<date>"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"0x[0-9a-f]+"), "<address>"),
    # How long a query took, as Django logs it.
    (re.compile(r"^\(\d+\.\d{3}\) "), "(<s>) "),
    # Of the frames in a debug page.
    (re.compile(r"(?<!\d)\d{14,16}(?!\d)"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?"), "<time>"),
)


@dataclass(slots=True)
class Observed:
    """What was seen.

    Attributes:
        answer: Status, headers in order, body, whether it was whole, what was raised.
        queries: SQL and parameters, in order.
        records: Logger, level and text.
        left_open: Connections that the request did not close.
        context: What is left in the context of the server's task.
        on_loop: Audit events while code of middleware ran on the event loop.
    """

    answer: tuple[Any, ...] = ()
    queries: list[tuple[str, str]] = field(default_factory=list)
    records: list[tuple[str, str, str]] = field(default_factory=list)
    context: dict[str, str] = field(default_factory=dict)
    left_open: int = 0
    on_loop: list[str] = field(default_factory=list)


def masked(text: str) -> str:
    """Return the text with random values replaced by their shape."""
    for pattern, name in _RANDOM:
        text = pattern.sub(name, text)
    return text


def observe(handler: Any, asked: Asked) -> tuple[Observed, Answer]:
    """Ask the handler on a loop of its own, and watch."""
    seen = Observed()

    async def main() -> Answer:
        before = _context()
        answer = await ask(handler, asked)
        seen.context = {
            name: value for name, value in _context().items() if before.get(name) != value
        }
        return answer

    with (
        connections_made() as made,
        queries_made() as queries,
        _records() as records,
        _audited() as events,
    ):
        answer = on_a_loop(main)
        seen.left_open = sum(each.wrapper.connection is not None for each in made)
    seen.queries = [(masked(sql), masked(repr(params))) for sql, params in queries]
    seen.records = records
    seen.on_loop = events
    seen.answer = _shape(answer)
    return seen, answer


def _shape(answer: Answer) -> tuple[Any, ...]:
    body = answer.body
    headers = [(n.decode(), masked(v.decode("latin-1"))) for n, v in answer.headers]
    if answer.header("Content-Encoding") == "gzip":
        # Django makes the length random, and what follows from it.
        body = gzip.decompress(body)
        headers = [(n, "" if n in {"Content-Length", "ETag"} else v) for n, v in headers]
    return (
        answer.status,
        headers,
        masked(body.decode("latin-1")),
        answer.whole,
        repr(answer.raised),
    )


def _context() -> dict[str, str]:
    found = {
        "urlconf": str(get_urlconf()),
        "script prefix": get_script_prefix(),
        "language": str(translation.get_language()),
        "zone": str(timezone.get_current_timezone()),
    }
    for variable, value in copy_context().items():
        if not variable.name.startswith("freeloop") and isinstance(value, (str, int, tuple)):
            found[variable.name] = str(value)
    # asgiref's note to itself during a hop; false when there was none, too.
    found.pop("deadlock_context", None)
    return found


class _Keep(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.kept: list[tuple[str, str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] != "asyncio":
            text = masked(record.getMessage())
            raised = repr(record.exc_info[1]) if record.exc_info else ""
            self.kept.append((record.name, record.levelname, text + raised))


@contextmanager
def _records() -> Iterator[list[tuple[str, str, str]]]:
    keep = _Keep()
    root, ours = logging.getLogger(), logging.getLogger("django")
    levels = root.level, ours.level
    root.setLevel(logging.DEBUG)
    root.addHandler(keep)
    try:
        yield keep.kept
    finally:
        root.removeHandler(keep)
        root.setLevel(levels[0])


_events: list[str] | None = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _events is None or not event.startswith(_WAITS):
        return
    if threading.get_ident() != loop_thread():
        return
    frame = sys._getframe()
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_MIDDLEWARE):
            _events.append(f"{event} {arguments!r:.120} in {name}:{frame.f_lineno}")
            return
        frame = frame.f_back  # type: ignore[assignment]


# An audit hook cannot be taken away again; without a list it returns at once.
sys.addaudithook(_audit)


@contextmanager
def _audited() -> Iterator[list[str]]:
    global _events
    events: list[str] = []
    _events = events
    try:
        yield events
    finally:
        _events = None


@contextmanager
def signals_sent() -> Iterator[list[tuple[str, str]]]:
    """Collect the receivers' view of the three signals of a request, in order."""
    from django.core import signals

    calls: list[tuple[str, str]] = []
    receivers: list[tuple[Signal, Any]] = []
    for name in ("request_started", "request_finished", "got_request_exception"):

        def receiver(sender: Any, _name: str = name, **_named: Any) -> None:
            calls.append((_name, getattr(sender, "__name__", str(sender))))

        signal = getattr(signals, name)
        signal.connect(receiver, weak=False)
        receivers.append((signal, receiver))
    try:
        yield calls
    finally:
        for signal, receiver in receivers:
            signal.disconnect(receiver)


__all__ = ["ASGIHandler", "Observed", "masked", "observe", "signals_sent"]
