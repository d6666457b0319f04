"""The log: one line for each group, then counters, never a flood."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from freeloop.watch.sinks.log import Log
from freeloop.watch.stretch import Cause
from tests.watch.sinks.stretches import stretch


class Clock:
    """Time as the test wants it."""

    now = 1000.0

    def __call__(self) -> float:
        """Return it."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock, caplog: pytest.LogCaptureFixture) -> Log:
    caplog.set_level(logging.INFO, "freeloop.watch")
    return Log(clock=clock)


def test_a_line_says_what_how_long_where_and_whose(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    """All that one needs to open the file."""
    log(stretch())

    (record,) = caplog.records
    assert record.getMessage() == (
        "event loop held by a waiting call for 212 ms (measured); "
        "at /srv/shop/views.py:41 fetch_rate, in readinto; route /checkout/<int:pk>/"
    )
    assert (record.levelno, record.__dict__["stretch"]) == (logging.WARNING, stretch())


def test_files_are_named_as_seen_from_the_project(
    log: Log, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Absolute paths of a deployment hide what matters behind what does not."""
    monkeypatch.chdir(tmp_path)
    library = ("/venv/lib/python3.13/site-packages/asgiref/sync.py", 560, "run_child")

    log(stretch(line=(str(tmp_path / "shop" / "views.py"), 41, "fetch_rate")))
    log(replace(stretch(), frames=(library,)))

    assert "at shop/views.py:41 fetch_rate" in caplog.messages[0]
    assert "at asgiref/sync.py:560 run_child" in caplog.messages[1]


def test_the_same_line_is_logged_once_and_then_counted(
    log: Log, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A line that blocks does so with every request."""
    for _ in range(100):
        log(stretch(ms=50.0))
    assert len(caplog.messages) == 1

    clock.now += 61
    log(stretch(ms=50.0))

    assert len(caplog.messages) == 2
    assert caplog.messages[1].startswith("100 more times in 61 s, 5000 ms in all (measured): event")
    assert "since start 101 times, max 50 ms, p99 50 ms" in caplog.messages[1]


def test_a_storm_of_different_lines_is_a_few_lines_a_minute(
    log: Log, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A log that is flooded is not read, and costs the server more than the blocks."""
    for number in range(300):
        log(stretch(route=f"page-{number}/"))
    assert len(caplog.messages) == 20

    clock.now += 60
    log(stretch())

    assert caplog.messages[20] == "280 lines more were not logged: no more than 20 a minute"
    assert len(caplog.messages) == 22


def test_what_the_host_did_is_no_warning(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody's code is to blame."""
    log(stretch(cause=Cause.STARVED))

    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert "nobody's code" in record.getMessage()


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_words_of_its_own(
    log: Log, caplog: pytest.LogCaptureFixture, cause: Cause
) -> None:
    log(stretch(cause=cause))

    (line,) = caplog.messages
    assert not line.startswith((cause.value, f"event loop {cause.value}"))


def test_a_path_cannot_forge_a_line_of_the_log(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    """Servers decode %0A before the application sees the path."""
    log(stretch(route=None, path="/a\nERROR all is lost\x1b[2J" + "x" * 500))

    (line,) = caplog.messages
    assert line.isprintable()
    assert len(line) < 400
