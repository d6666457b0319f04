"""The recorded tables of docs/explanation/two-runs.md, recorded again."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.docs.blocks import written_in
from tests.examples.cafe import CAFE

pytestmark = [pytest.mark.real, pytest.mark.alone, pytest.mark.timeout(180)]

PAGE = "docs/explanation/two-runs.md"
RUNS = ("/call/httpx/async/", "/call/httpx/sync/")
# How often a run is cut in two, and whether it is long enough to be told, is the machine's.
TELLING = re.compile(r"enters |GET |returns |first byte")
# Times and the supplier's port differ from run to run; lines must not.
FLEETING = re.compile(r"(?<=127\.0\.0\.1:)\d+|\b\d+\.\d+\b(?![.:])")


def recorded(path: str) -> str:
    command = [sys.executable, "-m", "freeloop", "trace", path, "--variables"]
    return subprocess.run(
        [sys.executable, CAFE / "backing.py", "--", *command],
        cwd=CAFE,
        env=os.environ | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def rows(text: str) -> list[str]:
    """Return the rows of the view: lane, what happened and where, without steps and times.

    A row goes on in lines that begin further right than its step.
    """
    table = text[text.index("what happened\n") : text.index("variables\n")]
    joined = re.sub(r"\n {20,}", "  ", table)
    parts = [re.split(r"\s{2,}", line.strip()) for line in joined.splitlines()]
    told = [" ".join(each[2:]) for each in parts if TELLING.search(" ".join(each))]
    return [FLEETING.sub("N", each).removeprefix("N ") for each in told]


def variables(text: str) -> list[tuple[str, str]]:
    """Return place and name of each variable in the order in which they appear."""
    table = text[text.index("variables\n") :].partition("\nfindings")[0]
    found = [line.split()[1:3] for line in table.splitlines()[2:] if line.strip()]
    return [(place, name) for place, name in found]


@pytest.mark.parametrize("path", RUNS)
def test_a_run_recorded_again_has_the_steps_and_variables_of_the_page(path: str) -> None:
    """The page says that nothing on it was drawn up."""
    shown = [block.text for block in written_in("text") if block.place.startswith(PAGE)]

    again, page = recorded(path), shown[RUNS.index(path)]

    assert len(shown) == len(RUNS)
    assert rows(page) == rows(again)
    assert variables(page) == variables(again)
    assert variables(page)[-1][1] == "delivery"
