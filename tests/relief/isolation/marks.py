"""What a request can leave behind where another might see it, and how it is looked for.

A `Place` is written with the request's mark, and read again and again. To see the mark of another
request there is a leak; not to see one's own any more, right after writing it, is a loss.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from datetime import timezone as fixed
from typing import Any

import django
from asgiref.local import Local
from django.conf import settings
from django.db import connection
from django.urls import get_script_prefix, get_urlconf, set_script_prefix
from django.utils import timezone, translation

LANGUAGES = ("de", "fr", "es", "it", "nl", "sv", "pl", "pt", "cs", "da", "fi", "hu")

_variable: ContextVar[str] = ContextVar("mark")
_local = Local()
_critical = Local(thread_critical=True)
_thread = threading.local()


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose request it is, told apart in each place.

    Attributes:
        number: Different for each request of a site.
        visitor: Index of the logged-in user.
    """

    number: int
    visitor: int

    @property
    def text(self) -> str:
        """The mark as text."""
        return f"{self.visitor}-{self.number}"

    @property
    def asked_language(self) -> str:
        """What the client asks for."""
        return LANGUAGES[self.number % len(LANGUAGES)]

    @property
    def language(self) -> str:
        """What the view activates."""
        return LANGUAGES[(self.number * 5 + 1) % len(LANGUAGES)]

    @property
    def zone(self) -> fixed:
        """A time zone of its own."""
        return fixed(timedelta(minutes=self.number % 1380 - 690), self.text)

    @property
    def prefix(self) -> str:
        """The script prefix that the server names."""
        return f"/app-{self.text}/"

    @property
    def urlconf(self) -> str:
        """One of a few."""
        return f"tests.relief.isolation.urls_{'abc'[self.number % 3]}"


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere that a mark can be left.

    Attributes:
        write: Leave the mark.
        read: Return what is there.
        own: What is there after writing.
        others: What may be there besides: nothing, or what was there before.
    """

    name: str
    write: Callable[[Mark], object]
    read: Callable[[], Any]
    own: Callable[[Mark], Any]
    others: Callable[[Mark], tuple[Any, ...]] = field(default=lambda _mark: (None,))


def _write_connection(mark: Mark) -> None:
    connection.isolation_mark = mark.text  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('isolation.mark', %s, false)", [mark.text])


def _server_session() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('isolation.mark', true)")
        return cursor.fetchone()[0] or None


# Seen from the loop and from the request's thread alike.
ANYWHERE = (
    Place(
        "contextvar", lambda m: _variable.set(m.text), lambda: _variable.get(None), lambda m: m.text
    ),
    Place(
        "asgiref.Local",
        lambda m: setattr(_local, "mark", m.text),
        lambda: getattr(_local, "mark", None),
        lambda m: m.text,
    ),
    Place(
        "language",
        lambda m: translation.activate(m.language),
        translation.get_language,
        lambda m: m.language,
        lambda m: (settings.LANGUAGE_CODE, m.asked_language, None),
    ),
    Place(
        "time zone",
        lambda m: timezone.activate(m.zone),
        lambda: str(timezone.get_current_timezone()),
        lambda m: m.text,
        lambda _m: (settings.TIME_ZONE,),
    ),
    Place(
        "script prefix",
        lambda m: set_script_prefix(m.prefix),
        get_script_prefix,
        lambda m: m.prefix,
        # What the server said is there from the beginning; a task of a sync server has none.
        lambda _m: ("/",),
    ),
)
# Chosen by a middleware, if there is one in the stack that does.
CHOSEN = (
    Place(
        "urlconf",
        lambda _m: None,
        get_urlconf,
        lambda m: m.urlconf,
        lambda _m: (settings.ROOT_URLCONF, None),
    ),
)
# Belongs to the request's thread.
IN_THREAD = (
    Place(
        "threading.local",
        lambda m: setattr(_thread, "mark", m.text),
        lambda: getattr(_thread, "mark", None),
        lambda m: m.text,
    ),
    Place(
        "thread-critical Local",
        lambda m: setattr(_critical, "mark", m.text),
        lambda: getattr(_critical, "mark", None),
        lambda m: m.text,
    ),
)
CONNECTION = (
    Place(
        "connection object",
        _write_connection,
        lambda: getattr(connection, "isolation_mark", None),
        lambda m: m.text,
    ),
    Place("server session", lambda _m: None, _server_session, lambda m: m.text),
    Place(
        "transaction",
        lambda _m: None,
        lambda: connection.in_atomic_block or None,
        lambda _m: None,
    ),
)


@dataclass(slots=True)
class Notebook:
    """What was seen, by all requests of a site.

    Attributes:
        wrong: Sentences about leaks and losses.
        looks: How many places were read.
        broken_bridges: Requests that ended in an error of asgiref, as stock's do.
        over_bridges: Marks of requests whose stream begins after a way back over `async_to_sync`.
        lost_on_bridges: Those of them that lost there what their view had set. asgiref lets the
            thread go on before it has kept the view's context (`test_bridges.py`); so it is in
            stock, and nothing of another request is seen.
        unattended: Marks of requests that go on after their cancellation, as they do in Django 5.2
            and 6.0: outside of the handler, and so in another thread than before.
        facts: What a view found out, to be compared with stock.
        threads: The marks that each thread worked for; threads are kept, so that none is taken for
            another.
    """

    wrong: list[str] = field(default_factory=list)
    looks: int = 0
    threads: dict[threading.Thread, set[str]] = field(default_factory=dict)
    broken_bridges: int = 0
    over_bridges: set[str] = field(default_factory=set)
    lost_on_bridges: set[str] = field(default_factory=set)
    unattended: set[str] = field(default_factory=set)
    facts: dict[str, Any] = field(default_factory=dict)
    loop: asyncio.AbstractEventLoop | None = None
    _arrivals: dict[str, asyncio.Event] = field(default_factory=dict)

    def arrive(self, mark: Mark, where: str) -> None:
        """Note the thread, if it is not the event loop's."""
        thread = threading.current_thread()
        if thread is threading.main_thread():
            return
        served = self.threads.setdefault(thread, set())
        served.add(mark.text)
        if len(served) > 1:
            self.wrong.append(f"{where}: thread {thread.name} serves {sorted(served)}")

    def arrival(self, mark: Mark) -> asyncio.Event:
        """Return what is set when this request gets to the step that says so."""
        return self._arrivals.setdefault(mark.text, asyncio.Event())

    def pause(self, mark: Mark, seconds: float) -> None:
        """Say from a thread that the request is here, and work there for a while."""
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.arrival(mark).set)
        time.sleep(seconds)

    def cancelled(self, mark: Mark) -> None:
        """Note that the server cancelled this request."""
        if django.VERSION < (6, 1):
            self.unattended.add(mark.text)

    def look(self, mark: Mark, where: str, places: tuple[Place, ...], *, written: bool) -> None:
        """Read the places; after writing, only the own mark may be there."""
        for place in places:
            self.looks += 1
            seen, own = place.read(), place.own(mark)
            may_be_new = not written or (mark.text in self.unattended and place in IN_THREAD)
            if seen == own or (may_be_new and seen in place.others(mark)):
                continue
            crossed = mark.text in self.over_bridges and place in ANYWHERE
            if crossed and seen in place.others(mark):
                self.lost_on_bridges.add(mark.text)
                continue
            self.wrong.append(f"{where}: {mark.text} sees {seen!r} in {place.name}, not {own!r}")

    def look_at(self, mark: Mark, where: str, seen: object) -> None:
        """Judge what a middleware left in its thread and finds there."""
        if seen != mark.text and not (seen is None and mark.text in self.unattended):
            self.complain(mark, where, f"reads {seen} in its thread")

    def complain(self, mark: Mark, where: str, sentence: str) -> None:
        """Note what else is wrong."""
        self.wrong.append(f"{where}: {mark.text} {sentence}")

    def read_out(self) -> dict[str, Any]:
        """Return what was noted since the last time, and start a new page."""
        answer = {
            "wrong": self.wrong[:50],
            "looks": self.looks,
            "threads": len(self.threads),
            "broken_bridges": self.broken_bridges,
            "lost_on_bridges": len(self.lost_on_bridges),
            "facts": self.facts,
        }
        self.wrong, self.looks, self.broken_bridges = [], 0, 0
        self.threads, self.facts, self._arrivals = {}, {}, {}
        self.unattended, self.over_bridges, self.lost_on_bridges = set(), set(), set()
        return answer


notebook = Notebook()


def write(mark: Mark, places: tuple[Place, ...]) -> None:
    """Leave the mark in all of them."""
    for place in places:
        place.write(mark)


def mark_of(request: Any) -> Mark:
    """Return the mark that the client sent along."""
    return Mark(int(request.headers["X-Number"]), int(request.headers["X-Visitor"]))
