"""Each row of the data files is shown again by the exercise that it names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freeloop.knowledge import shipped
from freeloop.knowledge.load import read_table
from freeloop.knowledge.rows import Blocking, Kind, Table
from tests.knowledge.proofs import exercises
from tests.knowledge.proofs.running import proved, unproved

# What does not depend on Django or Python is shown in the whole suite alone.
ALWAYS = {"stdlib", "django"}
# What a file needs that is not a distribution of its name; three run a program beside the process.
NEEDS = {
    "psycopg": "postgresql",
    "redis": "redis-server",
    "celery": "redis-server",
    "google": "google-auth",
}


def tables_of(name: str) -> list[Table]:
    """The data files that an exercise file makes."""
    file = exercises.read(name)
    packages = file.packages or ("time",)
    paths = [shipped.file_of(package) for package in packages]
    return [read_table(path, needs_proof=True) for path in paths if path is not None]


def files() -> list[Any]:
    """Every exercise file; those of a library are run where it and its server are."""
    return [
        name
        if name in ALWAYS
        else pytest.param(
            name,
            marks=[pytest.mark.real, pytest.mark.needs(NEEDS.get(name, name))],
        )
        for name in exercises.names()
    ]


@pytest.mark.parametrize("name", files())
def test_every_row_is_shown_again_by_a_run(name: str) -> None:
    """For the standard library, the installed Django and libraries, against servers made here."""
    tables = tables_of(name)

    found = proved(name)

    assert found["failed"] == {}
    assert tables
    assert [wrong for table in tables for wrong in unproved(table, found)] == []


def test_every_row_names_an_exercise_that_there_is() -> None:
    """Also those of Django versions that are not installed here."""
    known = {
        (each.stem.partition("-")[0]): read_table(each, needs_proof=True)
        for each in sorted(shipped.DATA.glob("*.toml"))
    }
    runs = {
        package: {exercise.run for exercise in file.exercises}
        for file in map(exercises.read, exercises.names())
        for package in (file.packages or (file.name,))
    }

    strangers = [
        f"{library}: {call.name}"
        for library, table in known.items()
        for call in table.calls.values()
        if call.proof not in runs[library]
    ]

    assert strangers == []


@pytest.fixture(scope="module")
def urllib3_shown() -> dict[str, Any]:
    """One small file, run once for what follows."""
    return proved("urllib3")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "urllib3.PoolManager.clear"}, "no exercise reaches"),
        ({"kind": Kind.FILE}, "said to wait for file, shown for net"),
        ({"twin": "urllib3.arequest"}, "said to have the twin urllib3.arequest"),
        ({"guarded": True}, "ran on the loop"),
        ({"in_memory": True}, "no exercise shows it"),
    ],
)
def test_a_row_without_its_proof_is_refused(
    urllib3_shown: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    """Somebody writes into a data file by hand what no run shows."""
    path = shipped.file_of("urllib3")
    assert path is not None
    table = read_table(path, needs_proof=True)
    forged: Blocking = replace(table.calls["urllib3.request"], **change)

    wrong = unproved(replace(table, calls={forged.name: forged}), urllib3_shown)

    assert len(wrong) == 1
    assert says in wrong[0]


def test_a_row_of_ours_without_a_proof_cannot_be_read(tmp_path: Path) -> None:
    """The key is asked for; in a file of a user it may be left out."""
    from freeloop.errors import FreeloopError

    file = tmp_path / "rows.toml"
    file.write_text(
        'format = 1\nlibrary = "a"\nversion = "1"\n'
        '[[call]]\nname = "a.b"\nkind = "net"\nreaches = "_socket.socket.recv"\n'
    )

    assert read_table(file, needs_proof=False).calls["a.b"].proof == ""
    with pytest.raises(FreeloopError, match=r"call 1 \(a.b\) proof is missing"):
        read_table(file, needs_proof=True)
