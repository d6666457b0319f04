"""Values as text: by type alone, bounded, masked."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from decimal import Decimal
from typing import Any, Never

import pytest

from freeloop.record.lines import changes
from freeloop.record.values import LONGEST, MASKED, shown, shown_error, value_of


class Hostile:
    """Whatever it is asked, it raises; Django's querysets would send SQL."""

    def _refuse(self, *_arguments: object) -> Never:
        raise AssertionError("the recorder ran code of the project")

    __repr__ = __str__ = __len__ = __iter__ = __hash__ = __bool__ = __format__ = _refuse
    __eq__ = __getattr__ = __call__ = __index__ = _refuse


class HostileKind(type):
    """A class whose class raises too."""

    def __eq__(cls, other: object) -> bool:
        raise AssertionError("the recorder compared classes of the project")

    def __hash__(cls) -> int:
        raise AssertionError("the recorder hashed a class of the project")


class OfHostileKind(metaclass=HostileKind):
    """Its instances are harmless, their type is not."""


class Colour(enum.Enum):
    """A class of the project."""

    RED = "red"


def test_no_code_of_the_project_runs_for_a_value() -> None:
    """`repr`, `str`, `len`, `==`, `hash`, iteration: each may query, block or raise."""
    values: tuple[Any, ...] = (
        Hostile(),
        [Hostile(), Hostile()],
        (Hostile(), {"dish": Hostile()}),
        {"a": Hostile()},
        OfHostileKind(),
        [OfHostileKind()],
        OfHostileKind,
    )

    texts = [value_of(value) for value in values]

    assert all("Hostile" in text for text in texts)


def test_a_change_is_seen_without_comparing_objects() -> None:
    """Another object under the same name is a change; the same object is none."""
    first, second = Hostile(), Hostile()
    seen: dict[str, tuple[int, str]] = {}

    new = list(changes(seen, {"dish": first, "count": 1}))
    same = list(changes(seen, {"dish": first, "count": 1}))
    changed = list(changes(seen, {"dish": second, "count": 2}))
    gone = list(changes(seen, {"count": 2}))

    assert [(name, change) for name, _, change in new] == [("dish", "new"), ("count", "new")]
    assert same == []
    assert [(name, change) for name, _, change in changed] == [
        ("dish", "changed"),
        ("count", "changed"),
    ]
    assert [(name, change) for name, _, change in gone] == [("dish", "gone")]


@pytest.mark.parametrize(
    "name",
    ["password", "PASSWORD_2", "auth_token", "secret_key", "cookies", "authorization", "api_key",
     "apikey", "session", "csrf_value"],
)  # fmt: skip
def test_secrets_are_masked_by_name(name: str) -> None:
    """In a variable and as a key of a dictionary; None is no secret."""
    assert shown(name, "hunter2") == MASKED
    assert "hunter2" not in value_of({name: "hunter2", "dish": "soup"})
    assert "'soup'" in value_of({name: "hunter2", "dish": "soup"})
    assert shown(name, None) == "None"


@pytest.mark.parametrize(
    "text", ["postgres://cook:hunter2@db/cafe", "Bearer hunter2", "Authorization: Basic hunter2"]
)
def test_secrets_are_masked_inside_text(text: str) -> None:
    """The name does not always tell."""
    assert "hunter2" not in value_of(text)
    assert "hunter2" not in shown_error(ValueError(text))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("x" * 10**6, id="text"),
        pytest.param(b"x" * 10**6, id="bytes"),
        pytest.param(list(range(10**5)), id="list"),
        pytest.param(dict.fromkeys(range(999), "x" * 999), id="dict"),
        pytest.param(10**10**5, id="number"),
        pytest.param([["x" * 999] * 999] * 9, id="nested"),
    ],
)
def test_every_value_is_bounded(value: Any) -> None:
    """One step must not hold a megabyte, nor take seconds to be written."""
    assert len(value_of(value)) < 5 * LONGEST


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (7, "7"),
        (1.5, "1.5"),
        ("soup", "'soup'"),
        (b"abc", "bytes, 3 bytes"),
        ([], "list of 0"),
        ([1, "a"], "list of 2: 1, 'a'"),
        ({"a": [1, 2]}, "dict of 1: 'a': list of 2"),
        (Decimal("1.50"), "1.50"),
        (dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), "2026-01-02 03:04:00+00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "Colour"),
        (Colour, "class Colour"),
        (len, "function len"),
    ],
)  # fmt: skip
def test_plain_values_are_shown_as_they_are(value: object, text: str) -> None:
    """What the standard library alone makes text of is safe to show."""
    assert value_of(value) == text
