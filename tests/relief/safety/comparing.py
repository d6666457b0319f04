"""The same requests, stock and relieved, from the same beginning; nothing that is seen differs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from difflib import unified_diff
from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.test import override_settings

from tests.relief.safety.exchange import Asked, relieved
from tests.relief.safety.observed import Observed, observe
from tests.relief.safety.project.told import said

SESSION_KEY = "k" * 32
SECRET = "s" * 32


def fresh_state() -> None:
    """Leave one session of the user, and nothing in the cache; in a thread of its own."""

    def work() -> None:
        from importlib import import_module

        from django.conf import settings as django_settings
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY
        from django.contrib.auth import SESSION_KEY as USER_KEY
        from django.contrib.auth.models import User
        from django.contrib.sessions.models import Session
        from django.core.cache import cache
        from django.db import connections

        Session.objects.all().delete()
        User.objects.exclude(username="anna").delete()
        cache.clear()
        anna = User.objects.get()
        store: Any = import_module(django_settings.SESSION_ENGINE).SessionStore(SESSION_KEY)
        store[USER_KEY] = str(anna.pk)
        store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        store[HASH_SESSION_KEY] = anna.get_session_auth_hash()
        store["visits"] = 3
        store.save()
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def seen_of(
    order: list[str], asked: list[Asked], given: dict[str, Any], *, on: bool
) -> list[Observed]:
    """Build a handler, ask it one after the other, and return what was seen."""
    with override_settings(MIDDLEWARE=order, **given), relieved(on=on):
        fresh_state()
        handler = ASGIHandler()
        seen = [observe(handler, each)[0] for each in asked]
    said.clear()
    return seen


def assert_same(
    order: list[str],
    asked: list[Asked],
    given: dict[str, Any],
    compared: Callable[[Observed], Observed] = lambda seen: seen,
) -> None:
    """Compare what `compared` leaves of it, and look for what waited on the event loop."""
    stock = [compared(seen) for seen in seen_of(order, asked, given, on=False)]
    relief = [compared(seen) for seen in seen_of(order, asked, given, on=True)]

    for number, (one, other) in enumerate(zip(stock, relief, strict=True)):
        what = f"request {number}: {asked[number]}"
        assert other.answer[2] == one.answer[2], "\n".join([what, *_bodies(one, other)])
        assert other.answer == one.answer, what
        assert other.queries == one.queries, what
        assert other.records == one.records, what
        assert other.context == one.context, what
        assert other.left_open == one.left_open, what
        # Django itself opens the file of a session on the loop, in `auser`.
        assert [each for each in other.on_loop if each not in one.on_loop] == [], what


def _bodies(one: Observed, other: Observed) -> Iterator[str]:
    """Show where long pages differ."""
    stock, relief = (seen.answer[2].splitlines() for seen in (one, other))
    return unified_diff(stock, relief, "stock", "relief", lineterm="", n=1)
