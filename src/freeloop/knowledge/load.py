"""Data files of blocking functions: TOML to typed rows; errors name the file and the key.

The keys are those of `TOP` and `CALL`; docs/reference/knowledge.md shows a file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freeloop.errors import FreeloopError
from freeloop.knowledge.rows import Blocking, Kind, Table

FORMAT = 1
TOP = {"format", "library", "version", "call", "aliases", "bases", "returns", "harmless"}
CALL = {"name", "kind", "reaches", "twin", "chain", "proof", "in_memory", "guarded"}


def read_table(path: Path, *, needs_proof: bool) -> Table:
    """Return the rows of a file.

    Raises:
        FreeloopError: If it cannot be read, is no TOML, or a key is missing, unknown or of a wrong
            type.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(path, "", f"cannot be read: {error}") from error
    return parsed(text, path, needs_proof=needs_proof)


def parsed(text: str, path: Path, *, needs_proof: bool) -> Table:
    """Return the rows of a text; `path` is for errors."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refused(path, "", f"is no TOML: {error}") from error
    return _Reader(path, needs_proof=needs_proof).table(data)


class _Reader:
    """Checks each value and says where it stands."""

    def __init__(self, path: Path, *, needs_proof: bool) -> None:
        self._path = path
        self._needs_proof = needs_proof

    def table(self, data: Mapping[str, Any]) -> Table:
        self._refuse_unknown(data, TOP, "")
        if data.get("format") != FORMAT:
            raise self._wrong("format", f"is {data.get('format')!r}, known is {FORMAT}")
        library, version = self._proved(data, "library", ""), self._proved(data, "version", "")
        rows = data.get("call", [])
        if not isinstance(rows, list):
            raise self._wrong("call", "is no list: write [[call]]")
        calls: dict[str, Blocking] = {}
        for number, row in enumerate(rows, 1):
            at = f"call {number}"
            if not isinstance(row, dict):
                raise self._wrong(at, "is no table: write [[call]]")
            call = self._call(row, at, library, version)
            if call.name in calls:
                raise self._wrong(f"{at} name", f"{call.name} is there twice")
            calls[call.name] = call
        return Table(
            calls,
            self._texts_by_name(data, "aliases"),
            self._lists_by_name(data, "bases"),
            self._texts_by_name(data, "returns"),
            self._lists_by_name(data, "harmless"),
        )

    def _call(self, row: Mapping[str, Any], at: str, library: str, version: str) -> Blocking:
        name = self._text(row, "name", at)
        at = f"{at} ({name})"
        self._refuse_unknown(row, CALL, at)
        kind = self._text(row, "kind", at)
        if kind not in set(Kind):
            raise self._wrong(f"{at} kind", f"is {kind!r}, known are {', '.join(Kind)}")
        return Blocking(
            name=name,
            kind=Kind(kind),
            primitive=self._proved(row, "reaches", at),
            twin=self._text(row, "twin", at) if "twin" in row else None,
            library=library,
            version=version,
            proof=self._proved(row, "proof", at),
            chain=self._list(row.get("chain", []), f"{at} chain"),
            in_memory=self._flag(row, "in_memory", at),
            guarded=self._flag(row, "guarded", at),
        )

    def _text(self, table: Mapping[str, Any], key: str, at: str) -> str:
        place = f"{at} {key}".strip()
        if key not in table:
            raise self._wrong(place, "is missing")
        value = table[key]
        if not isinstance(value, str) or not value:
            raise self._wrong(place, f"is {value!r}, expected a text")
        return value

    def _proved(self, table: Mapping[str, Any], key: str, at: str) -> str:
        """Return what only a run can tell; users write down what they know without one."""
        return self._text(table, key, at) if self._needs_proof or key in table else ""

    def _flag(self, table: Mapping[str, Any], key: str, at: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong(f"{at} {key}", f"is {value!r}, expected true or false")
        return value

    def _texts_by_name(self, data: Mapping[str, Any], key: str) -> dict[str, str]:
        table = self._table(data, key)
        return {name: self._text(table, name, key) for name in table}

    def _lists_by_name(self, data: Mapping[str, Any], key: str) -> dict[str, tuple[str, ...]]:
        table = self._table(data, key)
        return {name: self._list(value, f"{key} {name}") for name, value in table.items()}

    def _table(self, data: Mapping[str, Any], key: str) -> dict[str, Any]:
        table = data.get(key, {})
        if not isinstance(table, dict):
            raise self._wrong(key, f"is no table: write [{key}]")
        return table

    def _list(self, value: Any, at: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._wrong(at, f"is {value!r}, expected a list of texts")
        return tuple(value)

    def _refuse_unknown(self, table: Mapping[str, Any], known: set[str], at: str) -> None:
        unknown = sorted(table.keys() - known)
        if unknown:
            named = f"{at} {unknown[0]}".strip()
            raise self._wrong(named, f"is not known; known are {', '.join(sorted(known))}")

    def _wrong(self, key: str, says: str) -> FreeloopError:
        return _refused(self._path, key, says)


def _refused(path: Path, key: str, says: str) -> FreeloopError:
    return FreeloopError(
        "knowledge-file",
        what=f"{key} {says}".strip(),
        where=str(path),
        mend="see docs/reference/knowledge.md for the keys of a data file",
    )
