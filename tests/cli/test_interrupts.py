"""SIGINT and SIGTERM at awkward moments; `benchmarks/interrupts.py` does the same twenty times."""

from __future__ import annotations

import signal

import pytest

from benchmarks.interrupts import interrupt_once


@pytest.mark.real
@pytest.mark.needs("linux")
@pytest.mark.parametrize(
    ("number", "after_s"),
    [(signal.SIGINT, 1.0), (signal.SIGTERM, 5.0), (signal.SIGINT, 9.0)],
)
def test_an_interrupted_bench_leaves_nothing(number: signal.Signals, after_s: float) -> None:
    """While questioning the project, while servers start, while rounds run."""
    outcome = interrupt_once(number, after_s)

    assert outcome.left == ()
    assert outcome.code == 130


@pytest.mark.real
@pytest.mark.needs("linux")
def test_an_interrupted_bench_takes_its_session_away() -> None:
    """The session of `--user` was made in the project's own database."""
    outcome = interrupt_once(signal.SIGTERM, 6.0, user="ada")

    assert outcome.left == ()
    assert outcome.code == 130
