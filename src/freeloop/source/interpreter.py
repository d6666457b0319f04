"""Find the Python interpreter that runs the user's project, and see that it can."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from freeloop.errors import FreeloopError, install_command

OLDEST = (3, 12)
OLDEST_DJANGO = (5, 2)
PROBE_TIMEOUT_S = 20.0
# Old interpreters must be able to read it, so that they can say how old they are.
PROBE = """
import sys, json
try:
    from importlib.metadata import version
    django = version("django")
except Exception:
    django = None
print("\\n" + json.dumps([list(sys.version_info[:3]), django]))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that answered.

    Attributes:
        path: As given, symbolic links unresolved: a virtual environment is recognised by them.
        version: Such as (3, 13, 0).
        django: Version of Django in it, None without Django.
    """

    path: Path
    version: tuple[int, ...]
    django: str | None


def find_interpreter(python: str | None, *, base: Path) -> Path:
    """Return the interpreter that a user meant: a file, a virtual environment or a command.

    Args:
        python: As typed; None means the interpreter that runs freeloop.
        base: Directory that relative paths start from.
    """
    if python is None:
        return Path(sys.executable)
    path = base / Path(python).expanduser()
    if path.is_dir():
        inside = [path / "bin" / "python", path / "Scripts" / "python.exe"]
        for candidate in inside:
            if candidate.is_file():
                return candidate.absolute()
        raise FreeloopError(
            "no-interpreter",
            what=f"no Python in the directory {python}",
            where=f"looked for {inside[0]}",
            mend="give a virtual environment or the interpreter itself: --python .venv",
        )
    if path.is_file():
        return path.absolute()
    on_path = shutil.which(python) if os.sep not in python else None
    if on_path is None:
        raise FreeloopError(
            "no-interpreter",
            what=f"no such interpreter: {python}",
            where=f"looked for {path}",
            mend="give a virtual environment or the interpreter itself: --python .venv",
        )
    return Path(on_path).absolute()


def probe_interpreter(path: Path) -> Interpreter:
    """Run an interpreter and return what it says about itself."""
    try:
        done = subprocess.run(
            [path, "-c", PROBE],
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_S,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        version, django = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        tail = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise FreeloopError(
            "interpreter-broken",
            what=f"{path} does not run as a Python interpreter",
            where=tail[-1] if tail else type(error).__name__,
            mend="give the interpreter of the project: --python .venv",
        ) from error
    return Interpreter(path, tuple(version), django)


def require_usable(interpreter: Interpreter) -> None:
    """Refuse an interpreter that is too old, or that has no Django, or one too old."""
    shown = ".".join(str(part) for part in interpreter.version)
    if interpreter.version[:2] < OLDEST:
        raise FreeloopError(
            "interpreter-too-old",
            what=f"Python {shown} is older than 3.12, the oldest that freeloop measures",
            where=str(interpreter.path),
            mend="give a newer interpreter that can run the project: --python PATH",
        )
    if interpreter.django is None:
        raise FreeloopError(
            "no-django",
            what="Django is not installed in this interpreter",
            where=str(interpreter.path),
            mend=f"give the project's own: --python .venv; or: "
            f"{install_command(interpreter.path, 'django')}",
        )
    if django_series(interpreter.django) < OLDEST_DJANGO:
        raise FreeloopError(
            "django-too-old",
            what=f"Django {interpreter.django} is too old: freeloop measures 5.2 and newer",
            where=str(interpreter.path),
            mend="measure the project on Django 5.2 or newer",
        )


def django_series(version: str) -> tuple[int, int]:
    """Return (6, 1) for "6.1.3" or "6.1rc1"."""
    found = re.match(r"(\d+)\.?(\d*)", version)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)
