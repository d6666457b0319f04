"""Django's own hook, but what it touches is somebody else's and asks the database.

On the event loop each of these would raise SynchronousOnlyOperation, and the answer be a 500.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import django
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.dispatch import Signal
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import override_settings
from django.utils.functional import SimpleLazyObject

from tests.relief.safety.exchange import Asked, answer_of, loop_thread, relieved
from tests.relief.safety.project.settings import DEFAULT_MIDDLEWARE
from tests.relief.safety.project.told import said

ROOT = Path(__file__).parents[3]
HERE = f"{__name__}."
CSP = "django.middleware.csp.ContentSecurityPolicyMiddleware"


def queried() -> bool:
    """Ask the database; raises on an event loop."""
    from django.contrib.auth.models import User

    return User.objects.filter(username="anna").exists()


def asking[T](value: T) -> Callable[[], T]:
    """Return a function that asks the database before it returns the value."""

    def ask() -> T:
        assert queried()
        return value

    return ask


class AskingDict(dict[Any, Any]):
    """Looks into the database for each key."""

    def get(self, key: Any, default: Any = None) -> Any:
        """Query, then look."""
        assert queried()
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        assert queried()
        return super().__contains__(key)


class AskingCookies(SimpleCookie):
    """Cookies that are checked against the database as they are set."""

    def __setitem__(self, key: str, value: Any) -> None:
        assert queried()
        super().__setitem__(key, value)


class AskingList(list[str]):
    """A list that the database keeps."""

    def __iter__(self) -> Iterator[str]:
        assert queried()
        return super().__iter__()


def changing(response: HttpResponse, part: str) -> HttpResponse:
    """Put something of our own in the place of a part of the response."""
    its: Any = response
    match part:
        case "has_header" | "get" | "setdefault":
            stock = getattr(response, part)

            def changed(*given: Any) -> Any:
                assert queried()
                return stock(*given)

            setattr(response, part, changed)
        case "headers":
            its.headers = Headers(its.headers)
        case "cookies":
            its.cookies = AskingCookies()
        case "csp":
            its._csp_config = {"default-src": AskingList(["'self'"])}
        case _:
            pass
    return response


class Headers:
    """Headers kept elsewhere."""

    def __init__(self, stock: Any) -> None:
        self._stock = stock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stock, name)

    def __contains__(self, name: object) -> bool:
        assert queried()
        return name in self._stock

    def __getitem__(self, name: str) -> Any:
        return self._stock[name]

    def __setitem__(self, name: str, value: Any) -> None:
        assert queried()
        self._stock[name] = value


class Innermost:
    """Changes the request on the way in, or the response on the way out, as `?change=` says."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        from asgiref.sync import markcoroutinefunction

        self._get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: Any) -> Any:
        """Change, and pass on."""
        change = request.GET.get("change", "")
        if change == "COOKIES":
            request.COOKIES = AskingDict(request.COOKIES)
        elif change == "META":
            request.META = AskingDict(request.META)
        elif change == "stream":
            request._stream = Stream(request._stream)
        response = await self._get_response(request)
        return changing(response, change)


class Stream:
    """A body that is unpacked while it is read."""

    def __init__(self, stock: Any) -> None:
        self._stock = stock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stock, name)

    def close(self) -> None:
        """Say where."""
        said.append(threading.get_ident())
        self._stock.close()


def status(target: str, *, on: bool, order: list[str] | None = None, **given: Any) -> int:
    """Ask a new handler, with a session cookie that has to be taken away."""
    cookie = ("Cookie", "sessionid=unknown; csrftoken=" + "s" * 32)
    order = DEFAULT_MIDDLEWARE if order is None else order
    with override_settings(MIDDLEWARE=order, **given), relieved(on=on):
        return answer_of(ASGIHandler(), Asked(target, "GET", (cookie,))).status


@pytest.mark.parametrize("part", ["has_header", "get", "setdefault", "headers", "cookies"])
def test_a_part_that_a_view_replaced_on_its_response_is_used_in_the_thread(
    part: str, both: bool
) -> None:
    """On the object itself, not by a subclass."""
    order = [*DEFAULT_MIDDLEWARE, HERE + "Innermost"]

    assert status(f"/hello/?change={part}", on=both, order=order) == 200


@pytest.mark.parametrize("part", ["COOKIES", "META"])
def test_a_mapping_that_a_middleware_put_on_the_request_is_used_in_the_thread(
    part: str, both: bool
) -> None:
    """Django's own middleware behind it read cookies and headers from there."""
    order = [HERE + "Innermost", *DEFAULT_MIDDLEWARE]

    assert status(f"/hello/?change={part}", on=both, order=order) == 200


def test_a_body_that_a_middleware_wrapped_is_closed_in_the_thread(both: bool) -> None:
    """`request.close()` closes it."""
    assert status("/hello/?change=stream", on=both, order=[HERE + "Innermost"]) == 200
    assert [thread == loop_thread() for thread in said] == [False]


@pytest.mark.parametrize("name", ["has_header", "setdefault", "__setitem__"])
def test_a_patched_method_of_responses_runs_in_the_thread(
    name: str, both: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Django's class, by a tool that counts."""
    stock = getattr(HttpResponseBase, name)

    def patched(self: Any, *given: Any) -> Any:
        # The response's own header is set by the view.
        if "content-type" not in str(given).lower():
            assert queried()
        return stock(self, *given)

    monkeypatch.setattr(HttpResponseBase, name, patched)

    assert status("/hello/", on=both) == 200


@pytest.mark.skipif(django.VERSION < (6, 0), reason="the middleware came with 6.0")
@pytest.mark.parametrize("where", ["setting", "response"])
def test_a_policy_of_objects_that_ask_is_built_in_the_thread(where: str, both: bool) -> None:
    """Its values are joined for each response."""
    order = [CSP, HERE + "Innermost"]
    given = {"SECURE_CSP": {"default-src": AskingList(["'self'"])}} if where == "setting" else {}
    change = "csp" if where == "response" else ""

    assert status(f"/hello/?change={change}", on=both, order=order, **given) == 200


# Each is made anew for its test: a lazy object asks once.
SETTINGS: dict[str, Callable[[], Any]] = {
    "X_FRAME_OPTIONS": lambda: SimpleLazyObject(asking("DENY")),
    "ALLOWED_HOSTS": lambda: [SimpleLazyObject(asking("testserver"))],
    "SECURE_REFERRER_POLICY": lambda: AskingList(["same-origin"]),
    "CSRF_COOKIE_NAME": lambda: SimpleLazyObject(asking("csrftoken")),
    "SESSION_SAVE_EVERY_REQUEST": lambda: SimpleLazyObject(asking(value=False)),
    "CSRF_USE_SESSIONS": lambda: SimpleLazyObject(asking(value=False)),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_asks_is_read_in_the_thread(name: str, both: bool) -> None:
    """Projects with many tenants keep such objects in their settings."""
    assert status("/hello/", on=both, **{name: SETTINGS[name]()}) == 200


@pytest.mark.parametrize("method", ["asend", "send"])
@pytest.mark.parametrize("path", ["/", "/query/", "/fails/"])
def test_a_patched_signal_is_sent_as_often_as_in_stock(
    path: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tools count signals there."""
    stock: Any = getattr(Signal, method)
    counts = {}
    for on in (False, True):
        said.clear()
        with relieved(on=on), monkeypatch.context() as patching:

            def patched(self: Signal, *given: Any, **named: Any) -> Any:
                said.append(self)
                return stock(self, *given, **named)

            patching.setattr(Signal, method, patched)
            answer_of(ASGIHandler(), path)
        counts[on] = len(said)

    assert counts[True] == counts[False] != 0


FIRST_FILE_SESSION = """
import pathlib, sys, tempfile
from freeloop import relief
relief.install()
import django
from django.conf import settings
from tests.relief.safety.project.settings import for_folder
folder = pathlib.Path(sys.argv[1])
settings.configure(**{**for_folder(folder),
    "SESSION_ENGINE": "django.contrib.sessions.backends.file"})
django.setup()
from django.core.handlers.asgi import ASGIHandler
from tests.relief.safety.exchange import answer_of, loop_thread
import os, threading
isdir, seen = os.path.isdir, []
def looking(path):
    seen.append(threading.get_ident())
    return isdir(path)
os.path.isdir = looking
handler = ASGIHandler()
where = []
for _ in range(3):
    del seen[:]
    assert answer_of(handler, "/").status == 200
    where.append([each == loop_thread() for each in seen])
print(where)
"""


def test_the_folder_of_file_sessions_is_looked_for_in_the_thread() -> None:
    """At the first request; then the class knows it."""
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(
            [sys.executable, "-c", FIRST_FILE_SESSION, folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "[[False], [], []]"
