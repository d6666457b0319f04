"""What a real project says about itself, asked in a real process of its interpreter."""

from __future__ import annotations

import math

import pytest

from freeloop.source.facts import Database, inspect_project
from freeloop.source.project import Project
from tests.source.conftest import MakeProject

MINIMAL = "SECRET_KEY = 'x'\n"
TWO_DATABASES = """
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": "shop", "HOST": "db", "PORT": 5432,
        "USER": "u", "PASSWORD": "pa55", "CONN_MAX_AGE": None,
        "OPTIONS": {"pool": {"max_size": 7}},
    },
    "other": {"ENGINE": "django.db.backends.sqlite3", "NAME": "pg://u:pa55@h/x"},
}
"""


def test_a_project_that_prints_and_warns_is_understood(shop: Project) -> None:
    """The shop prints, even something that looks like an answer, and warns at import."""
    facts = inspect_project(shop)

    assert facts.wsgi == "shop.wsgi:application"
    assert (facts.asgi, facts.asgi_failure) == (None, "")
    assert facts.middleware[0] == "django.middleware.security.SecurityMiddleware"
    assert facts.session_engine == "django.contrib.sessions.backends.db"
    assert {"django", "asgiref"} <= set(facts.packages)
    assert facts.databases[0].engine == "django.db.backends.sqlite3"


def test_no_password_leaves_the_project(make_project: MakeProject) -> None:
    """Databases are printed in reports; passwords must not reach them."""
    first, other = inspect_project(make_project(MINIMAL + TWO_DATABASES)).databases

    assert "pa55" not in repr((first, other))
    assert (first.pooled, first.pool_max, first.conn_max_age_s) == (True, 7, math.inf)
    assert first.sentence.startswith("default: postgresql, shop at db:5432, pool of at most 7")
    assert other.name == "pg://u:***@h/x"


def test_sqlite_has_no_host(make_project: MakeProject) -> None:
    """A project that chooses its database by variables may name one all the same."""
    sqlite = "{'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'x', 'HOST': 'db', 'PORT': 5432}"
    (database,) = inspect_project(
        make_project(f"{MINIMAL}DATABASES = {{'default': {sqlite}}}")
    ).databases

    assert database.sentence == "default: sqlite3, x, no pool"


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ("ALLOWED_HOSTS = ['*']", "127.0.0.1"),
        ("ALLOWED_HOSTS = ['.shop.example']", "shop.example"),
        ("ALLOWED_HOSTS = ['localhost', 'a.example']", "localhost"),
        ("DEBUG = True", "127.0.0.1"),
        ("DEBUG = False", None),
    ],
)
def test_a_host_that_the_project_accepts_is_found(
    make_project: MakeProject, settings: str, host: str | None
) -> None:
    """Requests with a refused Host are answered by 400, which measures nothing."""
    assert inspect_project(make_project(MINIMAL + settings)).host == host


def test_a_redirect_to_https_is_known_with_the_header_that_avoids_it(
    make_project: MakeProject,
) -> None:
    """Production settings redirect plain requests unless a proxy says that TLS is done."""
    redirecting = MINIMAL + "SECURE_SSL_REDIRECT = True\n"
    header = "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')\n"

    plain = inspect_project(make_project(redirecting))
    proxied = inspect_project(make_project(redirecting + header))

    assert (plain.redirects_to_https, dict(plain.secure_headers)) == (True, {})
    assert dict(proxied.secure_headers) == {"X-Forwarded-Proto": "https"}
    assert not proxied.redirects_to_https


def test_an_application_that_does_not_import_is_told_from_an_absent_one(
    make_project: MakeProject,
) -> None:
    """An absent one is made by freeloop itself; a broken one is the user's to mend."""
    absent = inspect_project(make_project(MINIMAL))
    broken = inspect_project(make_project(MINIMAL, asgi="import sys\nsys.exit(4)"))
    named = inspect_project(make_project(MINIMAL + "ASGI_APPLICATION = 'absent.application'"))
    good = inspect_project(make_project(MINIMAL, asgi="application = object()"))

    assert (absent.asgi, absent.asgi_failure) == (None, "")
    assert (broken.asgi, broken.asgi_failure) == (None, "asgi: SystemExit: 4")
    assert (named.asgi, named.asgi_failure) == (None, "absent.application: no such module")
    assert (good.asgi, good.asgi_failure) == ("asgi:application", "")


@pytest.mark.parametrize(
    ("database", "ends"),
    [
        (Database("default", "a.sqlite3", "f.db"), "f.db, no pool"),
        (Database("x", "a.pg", "d", "h", conn_max_age_s=60), "no pool, connections kept 60 s"),
        (Database("x", "a.pg", "d", conn_max_age_s=math.inf), "connections never closed"),
        (Database("x", "a.pg", "d", pooled=True), "d, pool"),
    ],
)
def test_a_database_is_one_sentence(database: Database, ends: str) -> None:
    """It is printed before the first request."""
    assert database.sentence.endswith(ends)
