"""Threads, closing and signals on the oldest asgiref that the installed Django allows, and newest.

What a hop is, and which thread it uses, is asgiref's; relief reads its state.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CORE = ("test_threads.py", "test_closing.py", "test_signals.py", "test_going_away.py")

pytestmark = [pytest.mark.real, pytest.mark.timeout(400), pytest.mark.needs("package index")]


def oldest() -> str:
    """Return the lowest version in the installed Django's own requirement, as "==3.8.1"."""
    (requirement,) = [each for each in metadata.requires("django") or () if "asgiref" in each]
    lowest = re.search(r">=\s*([\d.]+)", requirement)
    assert lowest is not None, requirement
    return f"=={lowest[1]}"


@pytest.mark.parametrize("which", ["oldest", "newest"])
def test_threads_closing_and_signals_hold_with_another_asgiref(which: str, tmp_path: Path) -> None:
    """In a process of its own, in which that version is found first."""
    wanted = "asgiref" + (oldest() if which == "oldest" else "")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*install, str(tmp_path), wanted], check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    used = _python("-c", "import asgiref; print(asgiref.__file__)", environment=environment)
    tests = [str(Path(__file__).with_name(name)) for name in CORE]
    ran = _python("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, environment=environment)

    assert used.stdout.startswith(str(tmp_path))
    assert ran.returncode == 0, ran.stdout[-5000:]


def _python(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
