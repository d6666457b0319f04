"""A prediction as people read it."""

from __future__ import annotations

import re

import pytest

from freeloop.render.prediction_terminal import render_prediction
from tests.render.gold import check_gold
from tests.render.sample_predictions import sample
from tests.render.test_terminal import console, written


def shown(width: int, *, encoding: str = "utf-8", colour: bool = False) -> str:
    made = console(width, encoding=encoding, colour=colour)
    render_prediction(sample(), made)
    return written(made)


def test_a_prediction_reads_as_its_gold_file() -> None:
    """A person has looked at it; a change of wording or layout must be looked at again."""
    check_gold("terminal/prediction-80.txt", shown(80))


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert [line for line in shown(width).splitlines() if len(line) > width] == []


def test_every_effect_says_that_it_is_predicted() -> None:
    """A number without its basis reads as measured."""
    text = " ".join(shown(140).split())

    assert text.count("x the throughput (") == text.count("x the throughput (predicted, ")
    assert text.count("x the throughput (predicted, ") > 0


def test_where_a_cost_grows_there_is_no_number_but_the_library() -> None:
    text = " ".join(shown(140).split())

    assert "no number" in text
    assert "3.1 times as much at 32 in flight as at 8, most of it in httpx" in text


def test_colour_is_never_alone_and_ascii_is_enough() -> None:
    coloured = re.sub(r"\x1b\[[0-9;]*m", "", shown(80, colour=True))

    assert [line.rstrip() for line in coloured.splitlines()] == shown(80).splitlines()
    assert shown(80, encoding="ascii").isascii()
