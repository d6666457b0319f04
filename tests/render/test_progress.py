from __future__ import annotations

import io

import pytest
from rich.console import Console

from freeloop.model.progress import Step
from freeloop.render.progress import LiveProgress, block

STEPS = (
    Step("warm-up", "wait, 50 in flight", 0.1, 200.0),
    Step("timed round 3, gunicorn gthread", "wait, 50 in flight", 0.2, 65.0, "B / A 2.9 to 3.4"),
    Step("warm-up", "cpu, 50 in flight", 0.5, 40.0),
)


def test_a_pipe_gets_one_plain_line_per_title() -> None:
    """A log file must not fill with rounds."""
    stream = io.StringIO()

    with LiveProgress(Console(file=stream, width=80)) as progress:
        for step in STEPS:
            progress(step)

    assert stream.getvalue().splitlines() == [
        " 10%  wait, 50 in flight  about 3 min left",
        " 50%  cpu, 50 in flight  about 40 s left",
    ]


def test_quiet_says_nothing() -> None:
    """For scripts."""
    stream = io.StringIO()

    with LiveProgress(Console(file=stream, force_terminal=True), quiet=True) as progress:
        for step in STEPS:
            progress(step)

    assert stream.getvalue() == ""


def test_standard_output_stays_clean(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON goes to stdout; progress must not mix with it."""
    with LiveProgress() as progress:
        for step in STEPS:
            progress(step)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "wait, 50 in flight" in captured.err


def test_a_terminal_gets_a_live_block_that_is_wiped_at_the_end() -> None:
    """What stays on the screen is the result, not the way there."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80)

    with LiveProgress(console) as progress:
        for step in STEPS:
            progress(step)
    text = stream.getvalue()

    assert "cpu, 50 in flight" in text
    assert text.rstrip().endswith(("\x1b[2K", "\x1b[?25h"))


@pytest.mark.parametrize("width", [40, 80])
def test_the_block_shows_what_runs_what_is_known_and_time_left(width: int) -> None:
    """Three lines at most, none wider than the terminal."""
    stream = io.StringIO()
    Console(file=stream, width=width).print(block(STEPS[1]))
    lines = stream.getvalue().splitlines()

    assert len(lines) == 3
    assert max(map(len, lines)) <= width
    assert "wait, 50 in flight" in lines[0]
    assert "B / A 2.9 to 3.4" in lines[1]
    assert "20%" in lines[2]
