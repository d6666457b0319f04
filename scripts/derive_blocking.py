"""Derive which functions of the installed libraries block, and write src/freeloop/knowledge/data.

    .venv/bin/python scripts/derive_blocking.py [NAME ...] [--check]

Runs the exercises of tests/knowledge/proofs/exercises below the recorder of C calls, each file in
a process of its own, against servers of this machine. Django's file is written for the installed
version: run it with each of the environments that `make install DJANGO=...` makes. With --check
nothing is written; ends with 1 if an exercise proves nothing or a file would change.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "src" / "freeloop" / "knowledge" / "data"

sys.path.insert(0, str(ROOT))

from tests.knowledge.proofs import exercises  # noqa: E402 - lies beside this folder
from tests.knowledge.proofs.running import proved  # noqa: E402
from tests.knowledge.proofs.writing import data_file, part  # noqa: E402


def parts(
    file: exercises.ExerciseFile, found: dict[str, Any]
) -> Iterator[tuple[Path, str, str, dict[str, Any]]]:
    """Yield each data file that an exercise file makes: path, distribution, version and rows."""
    if file.library == "python":
        yield DATA / f"{file.name}.toml", "python", platform.python_version(), found
    distributions = metadata.packages_distributions()
    for package in file.packages:
        library = distributions[package][0]
        version = metadata.version(library)
        number = "-" + ".".join(version.split(".")[:2]) if package == "django" else ""
        yield DATA / f"{package}{number}.toml", library.lower(), version, part(found, package)


def main() -> int:
    """Write the files that are asked for, all of them by default."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(exercises.names()))
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    wrong = 0
    for name in asked.names or exercises.names():
        file = exercises.read(name)
        found = proved(name)
        for run, why in found["failed"].items():
            print(f"{name}: {run} proves nothing: {why}")
        wrong += len(found["failed"])
        for path, library, version, rows in parts(file, found):
            text = data_file(library, version, rows)
            same = path.is_file() and path.read_text() == text
            print(f"{path.name}: {library} {version}, {told(rows)}{'' if same else ', changed'}")
            wrong += asked.check and not same
            if not asked.check and not found["failed"]:
                path.write_text(text)
    return 1 if wrong else 0


def told(found: dict[str, Any]) -> str:
    """Return counts of rows in words."""
    rows = found["rows"].values()
    direct, twins = sum(row["direct"] for row in rows), sum(bool(row["twin"]) for row in rows)
    return f"{len(rows)} rows, {direct} of them called by an exercise, {twins} with a twin"


if __name__ == "__main__":
    sys.exit(main())
