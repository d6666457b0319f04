"""Derive which functions of the installed libraries block, and write src/freeloop/knowledge/data.

    .venv/bin/python scripts/derive_blocking.py [NAME ...] [--check]

Runs the exercises of tests/knowledge/proofs/exercises below the recorder of C calls, each file in
a process of its own, against servers of this machine. Django's file is written for the installed
version: run it with each of the environments that `make install DJANGO=...` makes. With --check
nothing is written; ends with 1 if an exercise proves nothing or a file would change.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "src" / "freeloop" / "knowledge" / "data"
PATIENCE_S = 300

sys.path.insert(0, str(ROOT))

from tests.knowledge.proofs import exercises  # noqa: E402 - lies beside this folder
from tests.knowledge.proofs.writing import data_file  # noqa: E402


def proved(name: str) -> dict[str, Any]:
    """Return what the exercises of a file show, run in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.knowledge.proofs", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"derive_blocking: {name} failed\n{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def target(file: exercises.ExerciseFile) -> tuple[Path, str]:
    """Return the data file of a library, and the version that is installed."""
    if file.library == "python":
        return DATA / f"{file.name}.toml", platform.python_version()
    version = metadata.version(file.library)
    number = "-" + ".".join(version.split(".")[:2]) if file.name == "django" else ""
    return DATA / f"{file.name}{number}.toml", version


def main() -> int:
    """Write the files that are asked for, all of them by default."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(exercises.names()))
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    wrong = 0
    for name in asked.names or exercises.names():
        file = exercises.read(name)
        path, version = target(file)
        found = proved(name)
        for run, why in found["failed"].items():
            print(f"{name}: {run} proves nothing: {why}")
        wrong += len(found["failed"])
        text = data_file(file.library, version, found)
        same = path.is_file() and path.read_text() == text
        direct = sum(row["direct"] for row in found["rows"].values())
        print(
            f"{path.name}: {version}, {len(file.exercises)} exercises, {len(found['rows'])} rows,"
            f" {direct} of them called, {sum(bool(r['twin']) for r in found['rows'].values())}"
            f" with a twin{'' if same else ', changed'}"
        )
        if asked.check:
            wrong += not same
        elif not found["failed"]:
            path.write_text(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
