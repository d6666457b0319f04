"""A stretch survives its journey through a log, and a broken line says what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from freeloop.watch.stretch import Cause, Stretch, from_json, is_project, kind_of

FRAMES = some.lists(some.tuples(some.text(), some.integers(0, 10**6), some.text()), max_size=4)
MAYBE = some.none() | some.text()
STRETCHES = some.builds(
    lambda cause, frames, other, **more: Stretch(
        kind=kind_of(cause), cause=cause, frames=tuple(frames), other=tuple(other), **more
    ),
    cause=some.sampled_from(Cause),
    frames=FRAMES,
    other=FRAMES,
    ms=some.integers(0, 10**9).map(lambda us: us / 1000),
    route=MAYBE,
    path=MAYBE,
    task=MAYBE,
    started=some.integers(0, 10**12).map(lambda ms: ms / 1000),
    confidence=some.integers(0, 100).map(lambda share: share / 100),
)
PLAIN = Stretch(
    kind=kind_of(Cause.WAIT),
    cause=Cause.WAIT,
    ms=31.5,
    frames=(
        ("/usr/lib/python3.13/socket.py", 3, "recv"),
        ("/srv/shop/prices.py", 41, "fetch_rate"),
        ("/srv/shop/views.py", 12, "checkout"),
    ),
    route="checkout/<int:pk>/",
    path="/checkout/7/",
    task="Task-4",
    started=1795200000.25,
    confidence=1.0,
)


@given(STRETCHES)
def test_a_stretch_reads_back_as_it_was_written(stretch: Stretch) -> None:
    line = stretch.to_json()

    assert "\n" not in line
    assert from_json(line) == stretch


def test_a_line_holds_the_fields_of_the_contract_and_no_other() -> None:
    fields = json.loads(PLAIN.to_json())

    assert list(fields) == [
        *("schema", "kind", "cause", "ms", "frames", "route", "path", "task", "started"),
        "confidence",
    ]
    assert fields["schema"] == "freeloop.stretch/1"
    assert fields["frames"][0] == ["/usr/lib/python3.13/socket.py", 3, "recv"]


def test_the_line_to_look_at_is_the_deepest_that_the_project_wrote() -> None:
    assert PLAIN.line == ("/srv/shop/prices.py", 41, "fetch_rate")
    assert PLAIN.callee == "recv"


@pytest.mark.parametrize(
    ("file", "own"),
    [
        ("/srv/shop/views.py", True),
        ("/srv/shop/lib/rates.py", True),
        ("/srv/shop/.venv/lib/python3.13/site-packages/django/db/models/query.py", False),
        ("/usr/lib/python3/dist-packages/requests/api.py", False),
        ("/usr/local/lib/python3.12/json/decoder.py", False),
        ("<frozen importlib._bootstrap>", False),
        ("/srv/freeloop/src/freeloop/relief/handler.py", False),
        ("/srv/shop/.venv/bin/uvicorn", False),
        ("C:\\shop\\.venv\\Lib\\site-packages\\requests\\api.py", False),
    ],
)
def test_a_file_is_the_projects_by_where_it_lies(file: str, own: bool) -> None:
    assert is_project(file) is own


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "freeloop.stretch/2"}, "schema is 'freeloop.stretch/2'"),
        ({"kind": "hidden"}, "does not belong to kind"),
        ({"cause": "boredom"}, "boredom"),
        ({"ms": "long"}, "'ms' must be a number"),
        ({"frames": [["a.py", "3", "f"]]}, "a frame is"),
        ({"frames": None}, "'frames' must be a list"),
        ({"route": 3}, "'route' must be text"),
    ],
)
def test_a_line_that_is_wrong_says_where(change: dict[str, Any], said: str) -> None:
    line = json.dumps(json.loads(PLAIN.to_json()) | change)

    with pytest.raises(ValueError, match=said):
        from_json(line)


@pytest.mark.parametrize("line", ["", "{", "[]", "3", '"x"', "{}", PLAIN.to_json()[:-20]])
def test_a_line_that_was_cut_is_a_value_error(line: str) -> None:
    """A worker may be killed in the middle of a line."""
    with pytest.raises(ValueError, match=r"."):
        from_json(line)
