"""What users know blocks: their data files, by option and by setting."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Check

ROWS = """
format = 1

[[call]]
name = "till.open_till"
kind = "net"

[[call]]
name = "till.Till.pay"
kind = "net"
twin = "till.Till.apay"

[[call]]
name = "own.charge"
kind = "proc"

[[call]]
name = "own.Desk.ask"
kind = "sleep"

[[call]]
name = "own.acharge"
kind = "net"
"""
VIEWS = """
import own
import till

async def slow(request):
    till.open_till()
    till.Till().pay()
    own.charge()
    own.Desk().ask()
    await own.acharge()
"""


@pytest.fixture
def shop(project: Path) -> Path:
    """A view that calls a library nobody knows, and functions that lead out of Python."""
    (project / "own.py").write_text(
        "import _terminal\ndef charge():\n    _terminal.charge()\n"
        "async def acharge():\n    await _terminal.acharge()\n"
        "class Desk:\n    def ask(self):\n        _terminal.ask()\n"
    )
    (project / "views.py").write_text(VIEWS)
    (project / "till.toml").write_text(ROWS)
    return project


def test_rows_of_the_user_are_known_as_those_that_are_shipped(check: Check, shop: Path) -> None:
    """Of a library, and of the project's own functions; what is awaited does not block."""
    without = check(at=shop)
    answer = check("--knowledge", "till.toml", "--format", "json", at=shop)

    found = {
        (each["line"], each["subject"], each["kind"])
        for each in json.loads(answer.stdout)["results"]
    }
    assert without.returncode == 0
    assert answer.returncode == 1
    assert found == {
        (6, "till.open_till", "net"),
        (7, "till.Till.pay", "net"),
        (8, "own.charge", "proc"),
        (9, "own.Desk.ask", "sleep"),
    }
    assert "await till.Till.apay(...)" in answer.stdout


def test_the_setting_names_files_beside_pyproject(check: Check, shop: Path) -> None:
    """Every run of the project knows them, from wherever it starts."""
    (shop / "pyproject.toml").write_text('[tool.freeloop.check]\nknowledge = ["till.toml"]\n')
    (shop / "inner").mkdir()

    answer = check("--quiet", at=shop / "inner")

    assert answer.stdout.count("FL101 blocking-call") == 4


def test_a_row_of_the_user_wins_over_a_shipped_one(check: Check, project: Path) -> None:
    """It is the user's project, and may patch what a library does."""
    (project / "own.toml").write_text(
        'format = 1\n[[call]]\nname = "subprocess.run"\nkind = "net"\ntwin = "shell.run"\n'
    )
    (project / "views.py").write_text(
        "import subprocess\nasync def slow(request):\n    subprocess.run(['ls'])\n"
    )

    answer = check("--knowledge", "own.toml", at=project)

    assert "subprocess.run waits for the network" in answer.stdout
    assert "await shell.run(...)" in answer.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("format = 2", "format is 2, known is 1"),
        ('format = 1\n[[call]]\nname = "a.b"', "call 1 (a.b) kind is missing"),
        ('format = 1\n[[call]]\nname = "a.b"\nkind = "slow"', "is 'slow', known are net"),
        ('format = 1\n[[call]]\nname = "a.b"\nkind = "net"\ntwins = "c"', "call 1 (a.b) twins is"),
        (
            'format = 1\n[[call]]\nname = "a.b"\nkind = "net"\ntwin = 3',
            "twin is 3, expected a text",
        ),
        ("format = = 1", "is no TOML"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(
    check: Check, project: Path, text: str | None, says: str
) -> None:
    """A row that is silently left out would be a finding that is silently left out."""
    if text is not None:
        (project / "till.toml").write_text(text)

    answer = check("--knowledge", "till.toml", at=project)

    said = "".join(answer.stderr.split())
    assert answer.returncode == 2
    assert "[knowledge-file]" in answer.stderr
    assert says.replace(" ", "") in said
    assert "till.toml" in said
