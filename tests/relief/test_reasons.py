"""What the explanation says is true: each condition brought about, each reason provoked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django
import pytest

from freeloop.relief.explanation import Mode
from tests.relief.explained.asking import Answered, Asking, asking
from tests.relief.test_explain import DEFAULT, SESSIONS

OURS = "tests.relief.explained.middleware"
COMMON = "django.middleware.common.CommonMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
GZIP = "django.middleware.gzip.GZipMiddleware"
CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"
LOCALE = "django.middleware.locale.LocaleMiddleware"
MESSAGES = "django.contrib.messages.middleware.MessageMiddleware"
SIGNED = {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}


@pytest.fixture(scope="module")
def ask() -> Iterator[Asking]:
    """One process for all questions of this module."""
    with asking() as ask:
        yield ask


def hopped(answered: Answered, path: str) -> list[str]:
    """Return what hopped with relief, without what follows from any hop."""
    names = answered.relieved[path]["to_thread"]
    return [
        name.rpartition(".")[2] for name in names if not name.endswith("HttpResponseBase.close")
    ]


def case(stack: list[str], path: str, hook: str, words: str, **more: Any) -> Any:
    return pytest.param(stack, path, hook, words, more, id=f"{words} {path}")


@pytest.mark.parametrize(
    ("stack", "path", "hook", "words", "more"),
    [
        case([SESSIONS], "/session/", "process_response", "session was modified", settings=SIGNED),
        case([SESSIONS, MESSAGES], "/message/", "process_response", "messages were added"),
        case([COMMON], "/missing/", "process_response", "the answer is 404"),
        case([LOCALE], "/missing/", "process_response", "the answer is 404"),
        case([CSRF], "/async/", "process_view", "not safe", headers={":method": "POST"}),
        case([GZIP], "/long/", "process_response", "longer than 4096 bytes"),
        case([GZIP], "/stream/", "process_response", "streamed"),
        case([CONDITIONAL], "/long/", "process_response", "longer than 4096 bytes"),
        case(
            [CONDITIONAL],
            "/async/",
            "process_response",
            "has If-Match",
            headers={"if-match": '"a"'},
        ),
    ],
)
def test_a_condition_costs_the_hop_that_is_told(
    ask: Asking, stack: list[str], path: str, hook: str, words: str, more: dict[str, Any]
) -> None:
    """What is not said of a piece must not be paid, and what is said must be."""
    answered = ask(stack, paths=(path,), **more)

    conditions = answered.piece(stack[-1]).conditions
    assert any(words in condition for condition in conditions)
    assert hook in hopped(answered, path)


@pytest.mark.parametrize(
    ("stack", "name", "words", "settings"),
    [
        ([COMMON], COMMON, "PREPEND_WWW is on", {"PREPEND_WWW": True}),
        (DEFAULT, CSRF, "CSRF_USE_SESSIONS is on", {"CSRF_USE_SESSIONS": True, **SIGNED}),
        (
            [SESSIONS],
            SESSIONS,
            "SESSION_SAVE_EVERY_REQUEST is on",
            {"SESSION_SAVE_EVERY_REQUEST": True, **SIGNED},
        ),
    ],
)
def test_a_setting_that_keeps_a_hook_stock_is_named(
    ask: Asking, stack: list[str], name: str, words: str, settings: dict[str, Any]
) -> None:
    """The hook hops for every request of the project, and computed is counted."""
    answered = ask(stack, settings=settings)

    assert words in answered.piece(name).why
    if not settings.get("PREPEND_WWW"):  # a redirect to www: no usual request exists
        assert answered.differences() == []


@pytest.mark.parametrize(
    ("stack", "name", "mode", "words"),
    [
        ([f"{OURS}.sync_function"], "sync_function", Mode.SYNC, "sync only"),
        ([COMMON, f"{OURS}.SyncClass"], COMMON, Mode.INSIDE, f"the thread of {OURS}.SyncClass"),
        ([f"{OURS}.async_only"], "async_only", Mode.ASYNC, "a coroutine of its own"),
        ([f"{OURS}.Hybrid"], "Hybrid", Mode.HYBRID, "third party"),
        ([f"{OURS}.SubclassOfCommon"], "SubclassOfCommon", Mode.HYBRID, f"a subclass of {COMMON}"),
        ([f"{OURS}.NotUsed"], "NotUsed", Mode.UNUSED, "MiddlewareNotUsed"),
        (
            ["django.middleware.common.BrokenLinkEmailsMiddleware"],
            "BrokenLinkEmailsMiddleware",
            Mode.HYBRID,
            "stays stock: sends mail",
        ),
    ],
)
def test_a_middleware_that_is_left_alone_says_why(
    ask: Asking, stack: list[str], name: str, mode: Mode, words: str
) -> None:
    """Each with the mode that Django runs it in, and with no hop less."""
    answered = ask(stack)

    piece = answered.piece(name)
    assert piece.mode is mode
    assert words in piece.why
    assert not piece.is_relieved
    assert answered.differences() == []


REPLACED_HOOK = """
from django.middleware.common import CommonMiddleware
stock = CommonMiddleware.process_response
def patched(self, request, response):
    return stock(self, request, response)
CommonMiddleware.process_response = patched
def after():
    CommonMiddleware.process_response = stock
"""
RECEIVER = """
from django.core.signals import {signal} as signal
{kind} told(**named): pass
signal.connect(told)
def after():
    signal.disconnect(told)
"""
CLOSE = """
from django.http.response import HttpResponseBase
stock = HttpResponseBase.close
def close(self):
    stock(self)
HttpResponseBase.close = close
def after():
    HttpResponseBase.close = stock
"""


def test_a_hook_that_somebody_patched_is_left_alone_and_named(ask: Asking) -> None:
    """A monitoring tool's function may do anything."""
    answered = ask([COMMON], before=REPLACED_HOOK)

    assert "process_response was replaced by" in answered.piece(COMMON).why
    assert "patched" in answered.piece(COMMON).why
    assert answered.differences() == []


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize(
    ("signal", "piece"),
    [("request_started", "request_started"), ("request_finished", "closing the response")],
)
def test_a_receiver_of_the_project_is_named_and_keeps_the_signal_stock(
    ask: Asking, signal: str, kind: str, piece: str
) -> None:
    """A receiver may be async: from the closing thread it is reached by a hop back to the loop."""
    answered = ask(DEFAULT, before=RECEIVER.format(signal=signal, kind=kind))

    assert "told" in answered.piece(piece).why
    assert answered.differences() == []


def test_a_close_that_somebody_patched_stays_in_its_thread(ask: Asking) -> None:
    """As some monitoring tools do."""
    answered = ask(DEFAULT, before=CLOSE)

    assert "close was replaced by" in answered.piece("closing the response").why
    assert answered.differences() == []


@pytest.mark.parametrize(
    "settings",
    [
        {"SESSION_ENGINE": "django.contrib.sessions.backends.cache"},
        {"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db"},
        SIGNED,
        {"MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage"},
        {"USE_I18N": False},
        {"DEBUG": True},
    ],
    ids=str,
)
def test_computed_is_counted_with_other_settings_too(ask: Asking, settings: dict[str, Any]) -> None:
    """Session engines, message storages, no translations, DEBUG."""
    assert ask([*DEFAULT, LOCALE], settings=settings).differences() == []


CLOSING_CACHE = """
from django.core.cache.backends.locmem import LocMemCache
def close(self, **named):
    pass
LocMemCache.close = close
def after():
    del LocMemCache.close
"""


def test_sessions_in_a_cache_that_closes_cost_the_closing_hop(ask: Asking) -> None:
    """As memcached does: it gives its connection back at the end of each request.

    Django 5.2 and 6.0 never see such a cache on closing, with or without relief.
    """
    settings = {"SESSION_ENGINE": "django.contrib.sessions.backends.cache"}

    answered = ask(DEFAULT, settings=settings, before=CLOSING_CACHE)

    assert ("cache has to be closed" in answered.piece("closing the response").why) is (
        django.VERSION >= (6, 1)
    )
    assert answered.differences() == []


def test_off_means_that_nothing_is_relieved_and_says_who_said_so(ask: Asking) -> None:
    """By the setting here; by the environment below."""
    answered = ask(DEFAULT, settings={"FREELOOP": {"RELIEF": {"ENABLED": False}}})

    assert "ENABLED" in answered.explanation.off
    assert answered.explanation.async_view.relieved == answered.explanation.async_view.stock
    assert answered.differences() == []


def test_the_environment_switches_it_off() -> None:
    """FREELOOP_RELIEF=0, for the process as a whole."""
    with asking(FREELOOP_RELIEF="0") as ask:
        answered = ask(DEFAULT)

    assert "FREELOOP_RELIEF" in answered.explanation.off
    assert answered.differences() == []


UNKNOWN = """
from django.core.handlers.asgi import ASGIHandler
stock = ASGIHandler.handle
async def handle(self, scope, receive, send):
    await stock(self, scope, receive, send)
ASGIHandler.handle = handle
def after():
    ASGIHandler.handle = stock
"""


def test_a_part_of_unknown_shape_has_no_number(ask: Asking) -> None:
    """Not known is not zero: the sums are not known either."""
    answered = ask(DEFAULT, before=UNKNOWN)

    assert answered.explanation.unknown
    assert answered.piece("request_started").async_view.stock is None
    assert answered.explanation.async_view.stock is None


WRAPPED = """
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.handlers import base
stock = base.import_string

def wrapping(middleware):
    class Wrapper:
        async_capable = middleware.async_capable
        def __init__(self, get_response):
            self.inner = middleware(get_response)
            if iscoroutinefunction(get_response):
                markcoroutinefunction(self)
        def __getattr__(self, name):
            return getattr(self.inner, name)
        def __call__(self, request):
            return self.inner(request)
    return Wrapper

base.import_string = lambda path: wrapping(stock(path))
def after():
    base.import_string = stock
"""


def test_a_middleware_that_a_monitoring_tool_wraps_is_seen_and_left_alone(ask: Asking) -> None:
    """Some wrap every class while the chain is built; Django's hooks below hop as before."""
    answered = ask(DEFAULT, before=WRAPPED)

    piece = answered.piece("SessionMiddleware")
    assert "wrapped by" in piece.why
    assert not piece.is_relieved
    assert answered.differences() == []


VIEW_SPAN = """
import functools
from django.middleware.csrf import CsrfViewMiddleware
stock = CsrfViewMiddleware.__getattribute__
def with_span(self, name):
    found = stock(self, name)
    if name != "process_view":
        return found
    @functools.wraps(found)
    def span(*args):
        return found(*args)
    span.__self__ = self
    return span
CsrfViewMiddleware.__getattribute__ = with_span
def after():
    del CsrfViewMiddleware.__getattribute__
"""


def test_a_view_hook_that_a_monitoring_tool_put_a_span_around_stays_stock(ask: Asking) -> None:
    """Its function says `__self__` is Django's middleware; inline, the span would be lost."""
    answered = ask([CSRF], before=VIEW_SPAN)

    assert (
        "django.middleware.csrf.CsrfViewMiddleware.process_view"
        in (answered.relieved["/async/"]["to_thread"])
    )
    assert answered.differences() == []
