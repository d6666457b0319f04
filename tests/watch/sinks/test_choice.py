"""Which outlets a project gets, and what becomes of one that fails."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from freeloop.watch.sinks import Outlets, from_settings
from freeloop.watch.stretch import Stretch
from tests.watch.sinks.stretches import stretch


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FREELOOP_WATCH_LOG", raising=False)


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ({}, ("logging",)),
        ({"LOGGING": False}, ()),
        ({"JSON_LINES": "watch.jsonl"}, ("logging", "json-lines")),
        ({"PROMETHEUS": True, "LOGGING": False}, ("prometheus",)),
        ({"OPENTELEMETRY": True, "LOGGING": False}, ("opentelemetry",)),
        ({"LOGGING": "yes", "JSON_LINES": 3, "JSON_LINES_MAX_MB": -1}, ("logging",)),
        ("nonsense", ("logging",)),
    ],
)
def test_the_settings_choose_the_outlets(table: object, names: tuple[str, ...]) -> None:
    """A value of the wrong type counts as not given: a server must start."""
    assert from_settings(table).names == names


def test_the_variable_wins_over_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the server may want the file elsewhere than whoever wrote the settings."""
    monkeypatch.setenv("FREELOOP_WATCH_LOG", str(tmp_path / "here.jsonl"))

    from_settings({"LOGGING": False, "JSON_LINES": str(tmp_path / "there.jsonl")})(stretch())

    assert [path.name for path in tmp_path.iterdir()] == ["here.jsonl"]


def test_an_outlet_that_fails_harms_nobody_and_is_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A disk that is full must not silence the metrics, nor reach the application."""
    seen: list[Stretch] = []

    def broken(_stretch: Stretch) -> None:
        raise OSError("no space left on device")

    outlets = Outlets({"json-lines": broken, "other": seen.append})
    for _ in range(5):
        outlets(stretch())

    assert len(seen) == 5
    assert outlets.faults == {"json-lines": 5}
    (line,) = caplog.messages
    assert "json-lines" in line
    assert "no space left" in line


def test_an_outlet_whose_package_is_missing_is_left_out_and_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The server starts; the log says what to install."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    caplog.set_level(logging.WARNING)

    outlets = from_settings({"PROMETHEUS": True})

    assert outlets.names == ("logging",)
    assert "pip install 'freeloop[prometheus]'" in caplog.text


def test_nothing_is_imported_that_was_not_asked_for() -> None:
    """They run in production: the standard library and Django alone."""
    code = """
import sys
import django.core.handlers.asgi
before = {name.partition(".")[0] for name in sys.modules}
from freeloop.watch.sinks import from_settings
from_settings({"JSON_LINES": "x"})
after = {name.partition(".")[0] for name in sys.modules}
print(*sorted(after - before - {"__future__", "freeloop"}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
