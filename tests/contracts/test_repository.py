"""What is committed holds anywhere: no path of one machine, no package index, a licence."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Joined here so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.~$}])/(?:" + "|".join(("ro" + "ot", "wo" + "rk")) + ")/")
MARK = r"[a-z_]+ [!=]= '[\w-]+'"
PIN = re.compile(rf"[a-z0-9-]+==[0-9a-z.]+( ; {MARK}( and {MARK})*)?")


def committed() -> list[Path]:
    """Text files under version control (and new ones that are about to be)."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8192]]


def test_no_committed_file_names_a_path_of_one_machine() -> None:
    """Such a path works for one person and tells where they work."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in committed()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]

    assert found == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("/ro" + "ot/project", True),
        ('cd "/wo' + 'rk/main"', True),
        ("https://example.org/wo" + "rk/1", False),
        ("the home/wo" + "rk/balance", False),
    ],
)
def test_the_search_for_machine_paths_finds_them(line: str, found: bool) -> None:
    """The test above is only as good as its needle."""
    assert bool(MACHINE_PATH.search(line)) is found


@pytest.mark.parametrize("path", sorted(ROOT.glob("constraints/*.txt")), ids=lambda path: path.name)
def test_constraints_hold_names_and_versions_only(path: Path) -> None:
    """An index or a file path in them would tie the installation to one machine."""
    lines = path.read_text().splitlines()

    assert lines
    assert [line for line in lines if not PIN.fullmatch(line)] == []


def test_every_supported_django_has_constraints() -> None:
    """What the classifiers promise can be installed and tested with one command."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    prefix = "Framework :: Django :: "
    promised = {name.removeprefix(prefix) for name in project["classifiers"] if prefix in name}

    pinned = {
        path.stem.removeprefix("django-"): path.read_text()
        for path in ROOT.glob("constraints/django-*.txt")
    }

    assert set(pinned) == promised
    assert all(text.startswith(f"django=={series}.") for series, text in pinned.items())


def test_commands_named_in_help_exist() -> None:
    """`make help` is the first thing that a newcomer reads."""
    makefile = (ROOT / "Makefile").read_text()

    named = set(re.findall(r'@echo "make (\w+)', makefile))
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))

    assert {"demo", "test", "lint", "bench", "clean"} <= named <= targets
