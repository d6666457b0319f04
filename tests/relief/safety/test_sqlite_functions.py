"""A SQLite connection that is closed without its functions: closed all the same, and only then."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3 import _functions  # type: ignore[attr-defined]
from django.db.backends.sqlite3.base import DatabaseWrapper

from freeloop import relief
from freeloop.relief.sqlite_functions import _take_off, take_off_on_closing
from tests.relief.safety.exchange import on_a_loop

Function = tuple[str, int]


def functions(raw: sqlite3.Connection) -> set[Function]:
    """Return what SQL may call on a connection, by SQLite's own list."""
    rows = raw.execute("PRAGMA function_list")
    return {(name.lower(), arguments) for name, _, _, _, arguments, _ in rows}


@pytest.fixture
def raw() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


@pytest.fixture
def wrapper(tmp_path: Path) -> Iterator[Any]:
    """Django's connection to a file, open."""
    settings = connections["default"].settings_dict | {"NAME": str(tmp_path / "of_its_own.sqlite3")}
    made = DatabaseWrapper(settings, "of_its_own")
    made.ensure_connection()
    yield made
    made.close()


def test_exactly_what_django_registers_is_taken_off(raw: sqlite3.Connection) -> None:
    """Also what the project registered under other names or arguments stays."""
    bare = functions(raw)
    _functions.register(raw)
    assert len(functions(raw) - bare) > 20
    raw.create_function("of_the_project", 1, abs)
    raw.create_function("md5", 2, max)

    _take_off(raw)

    assert functions(raw) - bare == {("of_the_project", 1), ("md5", 2)}
    assert raw.execute("SELECT of_the_project(-3)").fetchone() == (3,)


def test_closing_lets_go_of_them_first(wrapper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened again it has them again."""
    left: list[set[Function]] = []
    close: Any = vars(BaseDatabaseWrapper)["_close"]

    def looking(self: Any) -> None:
        left.append(functions(self.connection))
        close(self)

    take_off_on_closing(wrapper)
    assert ("django_format_dtdelta", 3) in functions(wrapper.connection)
    # Looked up on the class when it closes: what a tool puts there is called.
    monkeypatch.setattr(DatabaseWrapper, "_close", looking)
    wrapper.close()

    assert wrapper.connection is None
    assert ("django_format_dtdelta", 3) not in left[0]
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT django_format_dtdelta('+', 1, 2)")
        assert cursor.fetchone() == ("0:00:00.000003",)


def test_a_statement_under_way_keeps_nothing_open(wrapper: Any) -> None:
    """SQLite changes no function then."""
    take_off_on_closing(wrapper)
    raw = wrapper.connection
    cursor = raw.execute("SELECT value FROM json_each('[1, 2, 3]')")
    assert cursor.fetchone() == (1,)
    before = functions(raw)
    _take_off(raw)
    assert functions(raw) == before
    assert cursor.fetchone() == (2,)

    wrapper.close()

    assert wrapper.connection is None
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        raw.execute("SELECT 1")


def test_a_connection_of_another_class_keeps_them() -> None:
    """`OPTIONS` may name a factory; what it makes may count its functions."""

    class Other(sqlite3.Connection):
        pass

    raw = sqlite3.connect(":memory:", factory=Other)
    _functions.register(raw)
    before = functions(raw)

    _take_off(raw)

    assert functions(raw) == before
    raw.close()


def test_a_backend_that_closes_by_itself_is_left_alone(wrapper: Any) -> None:
    class Other(DatabaseWrapper):
        def _close(self) -> None:
            self.connection.close()

    other = Other(wrapper.settings_dict, "other")
    take_off_on_closing(other)

    assert "_close" not in vars(other)


def test_what_async_requests_open_closes_so() -> None:
    """A connection that this thread makes, outside of a request, stays as stock makes it."""

    def opened() -> Any:
        return connections.create_connection("default")

    async def request() -> Any:
        async with ThreadSensitiveContext():
            return await sync_to_async(opened)()

    relief.install()

    assert "_close" in vars(on_a_loop(request))
    assert "_close" not in vars(opened())


@pytest.mark.parametrize("place", ["_functions.register", "_Recorder"])
def test_functions_that_cannot_be_asked_for_stay(
    place: str, raw: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Django that registers otherwise; an audit hook that refuses another connection."""
    from freeloop.relief import sqlite_functions

    def refuses(*_given: Any) -> None:
        raise TypeError("not so")

    monkeypatch.setattr(sqlite_functions, "_registered", sqlite_functions._registered.__wrapped__)
    _functions.register(raw)
    before = functions(raw)
    owner, _, name = place.rpartition(".")
    monkeypatch.setattr(_functions if owner else sqlite_functions, name, refuses)

    _take_off(raw)

    assert functions(raw) == before
