"""What made a hook wait, query or read on the event loop, although the hook is Django's own."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.http import HttpRequest
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.test import override_settings
from django.utils.deprecation import MiddlewareMixin

from tests.relief.safety.exchange import Asked, ask, on_a_loop, relieved
from tests.relief.safety.observed import masked, observe
from tests.relief.safety.project.settings import DEFAULT_MIDDLEWARE

ROOT = Path(__file__).parents[3]
SESSIONS = "django.contrib.sessions.backends."


def queried() -> bool:
    """Ask the database; raises on an event loop."""
    from django.contrib.auth.models import User

    return User.objects.filter(username="anna").exists()


class HostsFromDatabase(list[str]):
    """Hosts that a table lists, as projects with many tenants have them."""

    def __iter__(self) -> Iterator[str]:
        """Query each time."""
        return iter(["testserver"] if queried() else [])


def status_of(asked: Asked, *, on: bool) -> int:
    """Ask a new handler."""
    with relieved(on=on):
        return observe(ASGIHandler(), asked)[1].status


def test_allowed_hosts_that_query_are_asked_in_the_thread(both: bool) -> None:
    """`get_host` iterates over the setting, whatever it is."""
    with override_settings(ALLOWED_HOSTS=HostsFromDatabase()):
        assert status_of(Asked("/"), on=both) == 200


def test_a_patched_get_host_runs_in_the_thread(monkeypatch: pytest.MonkeyPatch, both: bool) -> None:
    """Patched on the class, before the handler is built."""
    get_host = HttpRequest.get_host

    def patched(request: HttpRequest) -> str:
        assert queried()
        return get_host(request)

    monkeypatch.setattr(HttpRequest, "get_host", patched)

    assert status_of(Asked("/"), on=both) == 200


def test_a_patched_helper_of_a_middleware_runs_in_the_thread(
    monkeypatch: pytest.MonkeyPatch, both: bool
) -> None:
    """The documentation invites to override `get_xframe_options_value`."""

    def patched(self: object, request: object, response: object) -> str:
        assert queried()
        return "DENY"

    monkeypatch.setattr(XFrameOptionsMiddleware, "get_xframe_options_value", patched)

    assert status_of(Asked("/"), on=both) == 200


def test_a_patched_call_of_all_middleware_is_called(
    monkeypatch: pytest.MonkeyPatch, both: bool
) -> None:
    """Monitoring tools wrap it; relief must not go around them."""
    called: list[str] = []
    acall: Any = MiddlewareMixin.__acall__

    async def patched(self: object, request: HttpRequest) -> Any:
        called.append(type(self).__name__)
        return await acall(self, request)

    with relieved(on=both):
        # Before install() it is an unknown shape, and all middleware stays stock.
        monkeypatch.setattr(MiddlewareMixin, "__acall__", patched)
        assert observe(ASGIHandler(), Asked("/"))[1].status == 200
        monkeypatch.undo()

    assert called == [path.rpartition(".")[2] for path in DEFAULT_MIDDLEWARE]


@pytest.mark.parametrize("engine", ["cache", "cached_db"])
def test_making_a_file_cache_makes_its_folder_in_the_thread(engine: str) -> None:
    """A session in the cache makes the cache object."""
    with override_settings(SESSION_ENGINE=SESSIONS + engine), relieved():
        seen, answer = observe(ASGIHandler(), Asked("/"))

    assert answer.status == 200
    assert seen.on_loop == []


@pytest.mark.parametrize("first", ["a" * 30, "b" * 21])
@pytest.mark.parametrize(
    "last", ["de-" + "x" * 24, "fr@" + "y" * 24, "de-" + "z" * 12 + "-" + "z" * 12]
)
def test_a_catalogue_is_read_in_the_thread_however_long_the_path(first: str, last: str) -> None:
    """A long first part of a path may still begin with a language."""
    from django.utils.translation import trans_real

    order = ["django.middleware.locale.LocaleMiddleware"]
    with override_settings(MIDDLEWARE=order), relieved():
        handler = ASGIHandler()
        for each in (first, first):
            observe(handler, Asked(f"/{each}/"))
        trans_real._translations.pop("de", None)  # type: ignore[attr-defined]
        trans_real._translations.pop("fr", None)  # type: ignore[attr-defined]
        seen, _answer = observe(handler, Asked(f"/{last}/"))

    assert seen.on_loop == []


def test_a_cursor_that_is_dropped_is_gone_at_once() -> None:
    """An unclosed cursor keeps locks of the database until it is collected."""
    from asgiref.sync import ThreadSensitiveContext, sync_to_async

    def drop() -> bool:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        dropped = weakref.ref(cursor)
        del cursor
        gone = dropped() is None
        connection.close()
        return gone

    async def main() -> bool:
        async with ThreadSensitiveContext():
            return await sync_to_async(drop)()

    gc.disable()
    try:
        with relieved():
            assert on_a_loop(main)
    finally:
        gc.enable()


FIRST_REQUEST = """
import sys, pathlib
from freeloop import relief
relief.install()
import django
from django.conf import settings
from tests.relief.safety.project.settings import for_folder
given = for_folder(pathlib.Path(sys.argv[3]))
settings.configure(**{**given, "SESSION_ENGINE": "django.contrib.sessions.backends." + sys.argv[1],
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends." + sys.argv[2]}}})
django.setup()
from django.core.handlers.asgi import ASGIHandler
from tests.relief.safety.observed import masked, observe
from tests.relief.safety.exchange import Asked
handler = ASGIHandler()
for _ in range(2):
    seen, answer = observe(handler, Asked("/"))
    assert answer.status == 200, answer
    print("\\n".join(seen.on_loop))
"""


@pytest.mark.parametrize("engine", ["db", "cache", "signed_cookies"])
@pytest.mark.parametrize("cache", ["locmem.LocMemCache", "dummy.DummyCache", "db.DatabaseCache"])
def test_the_first_request_of_a_process_imports_nothing_on_the_loop(
    engine: str, cache: str, tmp_path: Path
) -> None:
    """Django imports a message storage and a cache backend when they are first used."""
    result = subprocess.run(
        [sys.executable, "-c", FIRST_REQUEST, engine, cache, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []


def test_a_hook_that_a_class_gets_later_is_called(
    monkeypatch: pytest.MonkeyPatch, both: bool
) -> None:
    """Stock looks for it at each request."""
    called: list[str] = []
    with relieved(on=both):
        handler = ASGIHandler()
        monkeypatch.setattr(
            XFrameOptionsMiddleware,
            "process_request",
            lambda _self, _request: called.append("request"),
            raising=False,
        )

        async def main() -> int:
            return (await ask(handler, "/")).status

        assert on_a_loop(main) == 200

    assert called == ["request"]


def test_a_django_without_live_receivers_keeps_its_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is private: gone, or of another shape, it must cost relief and no request."""
    from django.dispatch import Signal

    from freeloop import relief

    monkeypatch.delattr(Signal, "_live_receivers")

    parts = relief.install()

    assert {"request signals", "response closing"}.isdisjoint(parts)


def test_the_links_of_the_chain_look_like_stocks() -> None:
    """A middleware may show what it was given, and tools unwrap it to find the one below."""

    def looks(on: bool) -> list[tuple[Any, ...]]:
        with relieved(on=on):
            handler: Any = ASGIHandler()
        link = handler._middleware_chain
        found = []
        while (middleware := getattr(link, "__wrapped__", None)) is not None:
            found.append(
                (
                    link.__module__,
                    link.__name__,
                    link.__qualname__,
                    link.__doc__,
                    masked(repr(middleware)),
                )
            )
            link = getattr(middleware, "get_response", None)
        return found

    assert looks(on=True) == looks(on=False)
    assert len(looks(on=True)) > len(DEFAULT_MIDDLEWARE)
