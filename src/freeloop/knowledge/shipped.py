"""Which of the shipped data files answers for a name; Django's is that of the installed version."""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path

from freeloop.knowledge.load import read_table
from freeloop.knowledge.rows import Table

DATA = Path(__file__).parent / "data"
STDLIB = "stdlib"


def table(library: str, django: str | None) -> Table | None:
    """Return the rows for a top-level package, None if freeloop ships none.

    Args:
        library: First part of a dotted name.
        django: Version to answer for; the installed one if None.
    """
    path = file_of(library, django)
    return None if path is None else _read(path)


def file_of(library: str, django: str | None = None) -> Path | None:
    """Return the data file for a top-level package."""
    if library == "django":
        return django_file(django or _installed_django())
    # `open` and `input` are asked for without a module.
    if library in sys.stdlib_module_names or library in {"builtins", "open", "input"}:
        library = STDLIB
    path = DATA / f"{library}.toml"
    return path if path.is_file() else None


def django_file(version: str) -> Path | None:
    """Return the file of the newest Django that is not newer than a version, else the oldest."""
    files = sorted(DATA.glob("django-*.toml"), key=lambda path: _number(path.stem))
    older = [path for path in files if _number(path.stem) <= _number(version)]
    if older:
        return older[-1]
    return files[0] if files else None


@functools.cache
def _read(path: Path) -> Table:
    return read_table(path, needs_proof=True)


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", text)[:2])


def _installed_django() -> str:
    from importlib import metadata  # slow to import, and of use for Django alone

    try:
        return metadata.version("django")
    except metadata.PackageNotFoundError:
        return "0"
