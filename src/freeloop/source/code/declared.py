"""Which Django a project asks for, read from the files in which it says so."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LARGEST = 500_000
_ASKED = r"[=<>~!^]+\s*[^;#\s,]+"
_LINE = re.compile(rf"\s*django\s*(?:\[[^\]]*\])?\s*({_ASKED}(?:\s*,\s*{_ASKED})*)", re.IGNORECASE)
_CLAUSE = re.compile(r"\s*(===?|~=|<=|>=|!=|<|>|\^|~|=)?\s*v?(\d+)(?:\.(\d+))?(\.\d+)?(\.\*)?")

type Series = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Declared:
    """What is asked for.

    Attributes:
        text: As it is written, without the name.
        path: File in which it stands.
        below: The first series of Django that it does not allow.
    """

    text: str
    path: Path
    below: Series


def declared_django(path: Path, root: Path) -> Declared | None:
    """Return what the files nearest to a path allow at most; None where they set no limit.

    Args:
        path: A file of the project.
        root: Folder of the project. Those above the path are looked at up to that of the
            repository, or up to this one where there is none.
    """
    top = next((folder for folder in path.parents if (folder / ".git").exists()), root)
    for folder in path.parents:
        found = _of_folder(folder)
        if found or folder == top:
            return min(found, key=lambda each: each.below, default=None)
    return None


def first_not_allowed(text: str) -> Series | None:
    """Return the first series of Django that a version specifier does not allow, if there is one.

    Args:
        text: As pip, Poetry or Pipenv reads it; alternatives (`||`) count as no limit.
    """
    if "||" in text:
        return None
    limits = (_limit(clause) for clause in text.split(","))
    return min((limit for limit in limits if limit is not None), default=None)


def _limit(clause: str) -> Series | None:
    match = _CLAUSE.match(clause)
    if match is None:
        return None
    sign, major, minor = match[1] or "==", int(match[2]), int(match[3] or 0)
    next_series = (major, minor + 1) if match[3] else (major + 1, 0)
    match sign:
        case "==" | "===" | "=" | "~" | "<=":
            return next_series
        case "~=":
            return next_series if match[4] else (major + 1, 0)
        case "^":
            return (major + 1, 0)
        case "<":
            return next_series if match[4] and match[4].strip(".0") else (major, minor)
        case _:
            return None


def _of_folder(folder: Path) -> tuple[Declared, ...]:
    found = []
    for path, text in _specifiers(folder):
        below = first_not_allowed(text)
        if below is not None:
            found.append(Declared(text.strip(), path, below))
    return tuple(found)


def _specifiers(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in (*folder.glob("requirements*.txt"), *folder.glob("requirements/*.txt")):
        for line in _text(path).splitlines():
            if (match := _LINE.match(line)) is not None:
                yield path, match[1]
    pyproject, pipfile = folder / "pyproject.toml", folder / "Pipfile"
    table = _table(pyproject)
    for line in _strings(_at(table, "project", "dependencies")):
        if (match := _LINE.match(line)) is not None:
            yield pyproject, match[1]
    poetry = _at(table, "tool", "poetry", "dependencies")
    for path, packages in ((pyproject, poetry), (pipfile, _at(_table(pipfile), "packages"))):
        for name, asked in packages.items() if isinstance(packages, dict) else ():
            if name.lower() == "django":
                text = asked.get("version") if isinstance(asked, dict) else asked
                if isinstance(text, str):
                    yield path, text


def _table(path: Path) -> Any:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError:
        return {}


def _at(table: Any, *keys: str) -> Any:
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def _strings(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            return ""
        return path.read_text(errors="replace")
    except OSError:
        return ""
