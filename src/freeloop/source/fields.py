"""Read typed values from a TOML file; every mistake names the file and the key."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from freeloop.errors import FreeloopError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Table:
    """A TOML table that knows where it stands.

    Attributes:
        file: File that it came from.
        path: Key path in the file, such as "request[0].expect"; "" at the top.
        values: As parsed.
    """

    file: Path
    path: str
    values: Mapping[str, object]

    def at(self, key: str) -> str:
        """Return where a key stands, for messages."""
        return f"{self.file}: {self.path}.{key}" if self.path else f"{self.file}: {key}"

    def only(self, *known: str) -> None:
        """Refuse keys other than these."""
        for key in self.values:
            if key not in known:
                raise FreeloopError(
                    "unknown-key",
                    what=f"unknown key {key}",
                    where=self.at(key),
                    mend=nearest(key, known),
                )

    def text(self, key: str, default: str = "") -> str:
        """Return text."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "text")
        return value

    def required_text(self, key: str) -> str:
        """Return text that must be there and not be empty."""
        text = self.text(key)
        if not text.strip():
            raise FreeloopError(
                "missing-key",
                what=f"{key} is missing or empty",
                where=self.at(key),
                mend=f'write: {key} = "..."',
            )
        return text

    def flag(self, key: str) -> bool | None:
        """Return true or false, None when absent."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def count(self, key: str) -> int | None:
        """Return a positive whole number, None when absent."""
        value = self.values.get(key)
        if value is None:
            return None
        if not is_count(value):
            raise self.wrong(key, "a whole number from 1 up")
        return cast("int", value)

    def counts(self, key: str) -> tuple[int, ...] | None:
        """Return positive whole numbers, at least one, none twice; None when absent."""
        value = self.values.get(key)
        if value is None:
            return None
        numbers = value if isinstance(value, list) else []
        if not numbers or not all(map(is_count, numbers)) or len(set(numbers)) < len(numbers):
            raise self.wrong(key, "a list of different whole numbers from 1 up")
        return tuple(numbers)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; whole numbers are taken as text."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(is_plain(item) for item in value):
            raise self.wrong(key, "a list of texts")
        return tuple(str(item) for item in value)

    def text_by_name(self, key: str) -> Mapping[str, str]:
        """Return a table of texts; whole numbers are taken as text."""
        value = self.values.get(key, {})
        if not isinstance(value, dict) or not all(is_plain(item) for item in value.values()):
            raise self.wrong(key, "a table of texts")
        return {name: str(item) for name, item in value.items()}

    def word(self, key: str, words: Collection[str], default: str) -> str:
        """Return one of some words."""
        value = self.text(key, default)
        if value not in words:
            raise FreeloopError(
                "unknown-word",
                what=f"{key} cannot be {value!r}",
                where=self.at(key),
                mend=nearest(value, words),
            )
        return value

    def table(self, key: str) -> Table:
        """Return the table below a key; empty when absent."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "a table")
        return Table(self.file, f"{self.path}.{key}" if self.path else key, value)

    def tables(self, key: str) -> Iterator[Table]:
        """Yield the tables of an array such as `[[request]]`."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, f"tables, each written [[{key}]]")
        for number, item in enumerate(value):
            yield Table(self.file, f"{key}[{number}]", item)

    def wrong(self, key: str, wanted: str) -> FreeloopError:
        """Return the error for a value of another type."""
        return FreeloopError(
            "wrong-type",
            what=f"{key} must be {wanted}, not {self.values.get(key)!r}",
            where=self.at(key),
            mend=f"write {wanted}",
        )


def read_table(file: Path) -> Table:
    """Return the whole of a TOML file whose `format` this version reads."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FreeloopError(
            "no-such-file",
            what=f"cannot read {file}: {error.strerror}",
            where=str(file.absolute()),
            mend="check the name; relative names start where freeloop is run",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FreeloopError(
            "toml-syntax",
            what=f"not valid TOML: {error}",
            where=str(file),
            mend="correct the line named above; text needs quotes, tables square brackets",
        ) from error
    number = values.get("format")
    if number is None or isinstance(number, bool) or number != FORMAT:
        said = "format is missing" if number is None else f"format {number!r} is not known"
        raise FreeloopError(
            "unknown-format",
            what=f"{said}; this version reads format {FORMAT}",
            where=f"{file}: format",
            mend=f"write: format = {FORMAT}",
        )
    return Table(file, "", values)


def nearest(given: str, known: Collection[str]) -> str:
    """Return a question for the nearest known word, and all of them."""
    near = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
    listed = f"known: {', '.join(known)}" if known else "none is defined"
    return f"did you mean {near[0]}? {listed}" if near else listed


def is_count(value: object) -> bool:
    """Whether a value is a whole number from 1 up; true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def is_plain(value: object) -> bool:
    """Whether a value is text or a whole number."""
    return isinstance(value, str | int) and not isinstance(value, bool)
