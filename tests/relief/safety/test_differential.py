"""Stock against relief: any order of middleware, any request; nothing that can be seen differs."""

from __future__ import annotations

import os
from typing import Any

import django
import pytest
from django.core.handlers.asgi import ASGIHandler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.relief.safety.comparing import SECRET, SESSION_KEY, assert_same
from tests.relief.safety.exchange import Asked, relieved
from tests.relief.safety.observed import observe, signals_sent
from tests.relief.safety.project.settings import DEFAULT_MIDDLEWARE
from tests.relief.safety.project.told import PLAIN

OURS = "tests.relief.safety.project.middleware."
DJANGOS = (
    *DEFAULT_MIDDLEWARE,
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.auth.middleware.RemoteUserMiddleware",
    "django.middleware.cache.FetchFromCacheMiddleware",
    "django.middleware.cache.UpdateCacheMiddleware",
    "django.middleware.common.BrokenLinkEmailsMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    *(
        ["django.middleware.csp.ContentSecurityPolicyMiddleware"]
        if django.VERSION >= (6, 0)
        else []
    ),
)
OTHERS = tuple(
    OURS + name
    for name in (
        *("sync_only", "async_only", "Hybrid", "OldStyle", "SavingSession", "OwnCommon"),
        *("LoadingAuthentication", "OwnSecurity", "OwnCsrf", "ShortCut", "Failing", "Forgetful"),
    )
)
ENGINES = tuple(
    f"django.contrib.sessions.backends.{name}"
    for name in ("db", "cache", "cached_db", "file", "signed_cookies")
)
STORAGES = tuple(
    f"django.contrib.messages.storage.{name}"
    for name in ("fallback.FallbackStorage", "cookie.CookieStorage", "session.SessionStorage")
)

COOKIES = (
    f"sessionid={SESSION_KEY}",
    "sessionid=unknown",
    f"csrftoken={SECRET}",
    "csrftoken=not-a-token",
    "django_language=fr",
    "messages=broken",
)
HEADERS = (
    *(("Accept-Language", value) for value in ("de", "fr;q=0.9, en", "xx-nonsense", "*")),
    *(("If-None-Match", value) for value in ('"tag"', 'W/"other"', "*")),
    ("If-Match", '"other"'),
    ("If-Modified-Since", "Thu, 01 Jan 2032 00:00:00 GMT"),
    ("Accept-Encoding", "gzip, br"),
    *(("Origin", value) for value in ("http://testserver", "http://elsewhere.example")),
    ("Referer", "http://testserver/elsewhere/"),
    ("User-Agent", "test"),
    ("X-CSRFToken", SECRET),
    ("X-Forwarded-Proto", "https"),
    ("Remote-User", "bruno"),
)
PATHS = (
    *(f"/{name}/" for name in PLAIN),
    *("/", "/page", "/nowhere/", "/translated/", "/de/translated/", "/de/page", "/de-xy/nowhere/"),
    *(f"/page/?hook={hook}" for hook in ("request", "view", "template", "response")),
    *("/fails/?hook=exception", "/fails/?rescue=1", "/hello/?short=1", "/hello/?forget=1"),
    *("/long_text/?times=20", "/long_text/?times=1000"),
)

requests = st.builds(
    lambda target, method, cookies, headers, host: Asked(
        target,
        method,
        (*((("Cookie", "; ".join(cookies)),) if cookies else ()), *headers),
        (b"a=1",) if method == "POST" else (),
        host,
    ),
    st.sampled_from(PATHS),
    st.sampled_from(("GET", "GET", "GET", "HEAD", "POST", "OPTIONS")),
    st.lists(st.sampled_from(COOKIES), max_size=3, unique=True),
    st.lists(st.sampled_from(HEADERS), max_size=4, unique_by=lambda header: header[0]).map(tuple),
    st.sampled_from(("testserver", "testserver", "testserver", "www.testserver", "evil.example")),
)
options = st.fixed_dictionaries(
    {},
    optional={
        "CSRF_USE_SESSIONS": st.booleans(),
        "MESSAGE_STORAGE": st.sampled_from(STORAGES),
        "PREPEND_WWW": st.booleans(),
        "ROOT_URLCONF": st.just("tests.relief.safety.project.urls_by_header"),
        "SECURE_HSTS_SECONDS": st.just(60),
        "SECURE_PROXY_SSL_HEADER": st.just(("HTTP_X_FORWARDED_PROTO", "https")),
        "SECURE_SSL_REDIRECT": st.booleans(),
        "SESSION_ENGINE": st.sampled_from(ENGINES),
        "SESSION_SAVE_EVERY_REQUEST": st.booleans(),
        "USE_I18N": st.booleans(),
        "ALLOWED_HOSTS": st.just(["testserver", "www.testserver"]),
    },
)
# Half of them near what projects have, so that much of it is relieved.
any_order = st.lists(st.sampled_from(DJANGOS + OTHERS), max_size=9)
near_default = st.tuples(
    st.sets(st.integers(0, len(DEFAULT_MIDDLEWARE) - 1), max_size=2),
    st.lists(st.tuples(st.integers(0, 7), st.sampled_from(DJANGOS[7:] + OTHERS)), max_size=3),
).map(lambda drawn: _near_default(*drawn))
orders = st.one_of(any_order, near_default)


def _near_default(left_out: set[int], added: list[tuple[int, str]]) -> list[str]:
    order = [path for number, path in enumerate(DEFAULT_MIDDLEWARE) if number not in left_out]
    for place, path in added:
        order.insert(min(place, len(order)), path)
    return order


EXAMPLES = int(os.environ.get("RELIEF_EXAMPLES", "60"))

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    # Before 6.1 stock leaves the body open when the handler raises; relief as well.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@given(orders, st.lists(requests, min_size=1, max_size=4), options)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_order_of_middleware_and_no_request_tells_relief_from_stock(
    order: list[str], asked: list[Asked], given: dict[str, Any]
) -> None:
    """Answer, queries, log records, what is left in the context; nothing waits on the loop."""
    assert_same(order, asked, given)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", PATHS)
def test_every_view_answers_the_same_with_the_default_middleware(path: str, method: str) -> None:
    """Anonymous, with a session, and with a language; all in a row on one handler."""
    body = (b"a=1",) if method == "POST" else ()
    session = ("Cookie", f"sessionid={SESSION_KEY}; csrftoken={SECRET}")
    order = [*DEFAULT_MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    asked = [
        Asked(path, method, (), body),
        Asked(path, method, (session, ("X-CSRFToken", SECRET)), body),
        Asked(path, method, (("Accept-Language", "de"),), body),
        Asked(path, method, (("Accept-Language", "de"),), body),
    ]

    assert_same(order, asked, {})


def test_a_response_that_middleware_forgot_to_return_is_refused_in_the_same_words() -> None:
    """None goes on to the next middleware, whose error is stock's."""
    order = [*DEFAULT_MIDDLEWARE, OURS + "Forgetful"]

    assert_same(order, [Asked("/hello/?forget=1")], {})


@pytest.mark.parametrize(
    "path", [f"/{name}/" for name in ("hello", "hello_sync", "query", "fails", "missing", "stream")]
)
def test_the_same_signals_are_sent(path: str) -> None:
    """In the same order, from the same sender."""
    calls = {}
    for on in (False, True):
        with relieved(on=on), signals_sent() as calls[on]:
            observe(ASGIHandler(), Asked(path))

    assert calls[True] == calls[False] != []
