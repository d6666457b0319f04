"""Sessions of existing users: real ones, in the project's own store, gone afterwards."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from freeloop.source.login import session_for, sessions_for
from freeloop.source.project import Project
from tests.source.conftest import MakeProject, error_of

BACKENDS = "django.contrib.sessions.backends"
ASK_WHO = """
import sys
from django.test import Client
answer = Client().get("/whoami/", headers={"cookie": sys.argv[1], "host": "shop.example"})
sys.stdout.write("is " + answer.content.decode())
"""
HOLD = """
import sys, time
from pathlib import Path
from freeloop.source.login import session_for
from freeloop.source.project import Project
with session_for(Project(Path(sys.argv[1]), "shop.settings", Path(sys.executable)), "ada"):
    print("held", flush=True)
    time.sleep(600)
"""


def who(project: Project, cookies: Mapping[str, str]) -> str:
    """Send the cookies to the project's own middleware in another process."""
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    script = f"import django\ndjango.setup()\n{ASK_WHO}"
    done = subprocess.run(
        [project.python, "-W", "ignore", "-c", script, cookie],
        cwd=project.root,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": project.settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.rpartition("is ")[2]


def rows(database: Path, query: str) -> object:
    """Return the one value of a query."""
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchone()[0]
    finally:
        connection.close()


def test_a_session_logs_in_and_is_gone_afterwards(shop: Project, database: Path) -> None:
    """Another process knows the user; no login is recorded; nothing is left behind."""
    with session_for(shop, "ada") as cookies:
        assert list(cookies) == ["sessionid"]
        assert who(shop, cookies) == "ada"
        assert rows(database, "select count(*) from django_session") == 1

    assert rows(database, "select count(*) from django_session") == 0
    assert rows(database, "select last_login from auth_user where username = 'ada'") is None
    assert who(shop, cookies) == "nobody"


def test_the_session_is_removed_when_the_measurement_fails(shop: Project, database: Path) -> None:
    """The error of the measurement is passed on."""
    with pytest.raises(ZeroDivisionError), session_for(shop, "ada"):
        raise ZeroDivisionError

    assert rows(database, "select count(*) from django_session") == 0


@pytest.mark.real
def test_the_session_is_removed_when_freeloop_is_killed(shop: Project, database: Path) -> None:
    """SIGKILL gives no chance to clean up; the process that made the session does."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(shop.root)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert rows(database, "select count(*) from django_session") == 1
        holder.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 20
    while rows(database, "select count(*) from django_session") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert rows(database, "select count(*) from django_session") == 0


def test_signed_cookies_log_in_with_nothing_stored(
    shop: Project, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cookie is the session, so there is nothing to remove."""
    monkeypatch.setenv("SHOP_SESSIONS", f"{BACKENDS}.signed_cookies")

    with session_for(shop, "ada") as cookies:
        assert who(shop, cookies) == "ada"
        assert rows(database, "select count(*) from django_session") == 0


def test_each_user_gets_one_session_and_nobody_none(shop: Project, database: Path) -> None:
    """A plan may name a user many times."""
    with sessions_for(shop, ["ada", "ada"]) as sessions:
        assert list(sessions) == ["ada"]
        assert rows(database, "select count(*) from django_session") == 1

    with sessions_for(shop, []) as none:
        assert none == {}


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("user", "slug", "says"),
    [("eve", "no-such-user", "username eve"), ("gone", "user-may-not-log-in", "gone")],
)
def test_a_user_that_cannot_log_in_is_refused(
    shop: Project, user: str, slug: str, says: str
) -> None:
    """No account is made for a measurement."""
    error = error_of(lambda: session_for(shop, user).__enter__())

    assert error.slug == slug
    assert says in error.what


@pytest.mark.usefixtures("database")
def test_sessions_in_the_memory_of_one_process_are_refused(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server could not read them: every request would be anonymous, and look fine."""
    monkeypatch.setenv("SHOP_SESSIONS", f"{BACKENDS}.cache")

    error = error_of(lambda: session_for(shop, "ada").__enter__())

    assert error.slug == "sessions-process-local"
    assert "LocMemCache" in error.what


def test_a_database_in_memory_is_refused(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process has its own."""
    monkeypatch.setenv("SHOP_DATABASE", ":memory:")

    error = error_of(lambda: session_for(shop, "ada").__enter__())

    assert error.slug == "sessions-process-local"
    assert "SQLite" in error.what


def test_a_database_without_tables_is_told(
    shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mend is the command that makes them."""
    monkeypatch.setenv("SHOP_DATABASE", str(tmp_path / "empty.sqlite3"))

    error = error_of(lambda: session_for(shop, "ada").__enter__())

    assert error.slug == "session-database"
    assert "migrate" in error.mend


@pytest.mark.usefixtures("database")
def test_a_session_store_that_is_down_is_what_must_be_started(
    shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`django check` passes without the Redis of the sessions: it would be no help."""
    (tmp_path / "far_store.py").write_text(
        "from django.contrib.sessions.backends.db import SessionStore as Stored\n"
        "class SessionStore(Stored):\n"
        "    def save(self, must_create=False):\n        raise ConnectionError('refused')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("SHOP_SESSIONS", "far_store")

    error = error_of(lambda: session_for(shop, "ada").__enter__())

    assert error.slug == "project-raises"
    assert "refused" in error.what
    assert "SESSION_ENGINE" in error.mend


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ("", "django.contrib.auth in INSTALLED_APPS"),
        (
            "INSTALLED_APPS = ['django.contrib.auth', 'django.contrib.contenttypes']",
            "SessionMiddleware in MIDDLEWARE",
        ),
    ],
)
def test_a_project_without_login_says_what_is_missing(
    make_project: MakeProject, settings: str, missing: str
) -> None:
    """A cookie that nothing reads would measure the anonymous page."""
    project = make_project(f"SECRET_KEY = 'x'\n{settings}")

    error = error_of(lambda: session_for(project, "ada").__enter__())

    assert error.slug == "no-login"
    assert missing in error.where
