"""find-python believes an interpreter only after it ran."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FIND = Path(__file__).parents[2] / "scripts" / "find-python"


def find(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script with nothing in its environment but what the test says."""
    return subprocess.run(
        ["/bin/sh", str(FIND)], env=environment, capture_output=True, text=True, check=False
    )


def shim(folder: Path, name: str, body: str) -> Path:
    """Write an executable that stands where an interpreter is expected."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_a_shim_that_fails_is_passed_over(tmp_path: Path) -> None:
    """Pyenv leaves python3.13 on PATH although no 3.13 is active."""
    shims = tmp_path / "shims"
    shim(shims, "python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    real = shim(tmp_path, "pyenv/versions/3.99.0/bin/python", f'exec "{sys.executable}" "$@"')

    answer = find(
        PATH=f"{shims}:/usr/bin:/bin", HOME=str(tmp_path), PYENV_ROOT=str(tmp_path / "pyenv")
    )

    assert real.exists()
    assert answer.returncode == 0
    assert subprocess.run([answer.stdout.strip(), "-c", ""], check=True).returncode == 0


def test_the_wanted_interpreter_is_taken(tmp_path: Path) -> None:
    """PYTHON=... wins over everything that could be found."""
    answer = find(PATH="/usr/bin:/bin", HOME=str(tmp_path), PYTHON=sys.executable)

    assert Path(answer.stdout.strip()).resolve() == Path(sys.executable).resolve()


@pytest.mark.parametrize("wanted", ["no-such-python", "too-old"])
def test_an_unfit_interpreter_is_refused_with_its_mend(tmp_path: Path, wanted: str) -> None:
    """Falling back silently would test something else than was asked for."""
    shim(tmp_path, "too-old", "echo 'CPython 3.11.7' >&2; exit 1")

    answer = find(PATH=f"{tmp_path}:/usr/bin:/bin", HOME=str(tmp_path), PYTHON=wanted)

    assert answer.returncode == 2
    assert answer.stdout == ""
    assert f"PYTHON={wanted}" in answer.stderr
    assert "mend" in answer.stderr
