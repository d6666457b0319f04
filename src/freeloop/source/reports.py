"""Files of JSON lines that running workers append to, followed as they grow and are rotated."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from freeloop.errors import FreeloopError
from freeloop.model.watched import Pool, Report, Unreadable
from freeloop.watch.stretch import from_json

# Of a line that never ends no more is kept.
LONGEST_LINE_BYTES = 1_000_000
CHUNK_BYTES = 1 << 20
LONGEST_EXCERPT = 120


class Followed:
    """Several files; each `read` returns what was added since the one before."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = [_File(path) for path in dict.fromkeys(files)]

    def read(self) -> Iterator[Report]:
        """Yield the new reports, file by file.

        Raises:
            FreeloopError: If a file cannot be opened for another reason than its absence.
        """
        for file in self._files:
            yield from file.read()

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """The lines so far that are no reports."""
        return tuple(
            Unreadable(str(file.path), file.bad, file.first_bad) for file in self._files if file.bad
        )

    @property
    def absent(self) -> tuple[str, ...]:
        """The files that have not been there so far."""
        return tuple(str(file.path) for file in self._files if file.absent)

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()


class _File:
    """One name, and whichever file has it now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.absent = True
        self.bad = 0
        self.first_bad = ""
        self._opened: io.BufferedReader | None = None
        self._rest = b""
        self._number = 0

    def read(self) -> Iterator[Report]:
        """Yield what was added; of a file that was rotated away first what it still had."""
        if self._opened is not None:
            yield from self._lines()
            if self._is_current():
                return
            self.close()
        self._open()
        if self._opened is not None:
            yield from self._lines()

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened, self._rest, self._number = None, b"", 0

    def _open(self) -> None:
        try:
            self._opened = self.path.open("rb")
        except FileNotFoundError:
            return
        except OSError as error:
            raise FreeloopError(
                "cannot-read",
                what=f"cannot read {self.path}: {error.strerror}",
                where="files to watch",
                mend="name files that FREELOOP_WATCH_LOG of your workers names",
            ) from None
        self.absent = False

    def _is_current(self) -> bool:
        """Whether the name still stands for the open file, and that one has not been emptied."""
        assert self._opened is not None  # asked only then
        now = os.fstat(self._opened.fileno())
        try:
            same = os.path.samestat(self.path.stat(), now)
        except OSError:
            return True  # between being taken away and being made anew
        return same and now.st_size >= self._opened.tell()

    def _lines(self) -> Iterator[Report]:
        assert self._opened is not None  # asked only then
        while chunk := self._opened.read(CHUNK_BYTES):
            *whole, self._rest = (self._rest + chunk).split(b"\n")
            for line in whole:
                self._number += 1
                if line and (report := self._report(line)) is not None:
                    yield report
            if len(self._rest) > LONGEST_LINE_BYTES:
                self._rest = self._rest[:LONGEST_EXCERPT]

    def _report(self, line: bytes) -> Report | None:
        try:
            text = line.decode("utf-8")
            return _report(text, str(self.path))
        except (ValueError, RecursionError) as problem:
            self.bad += 1
            reason = "no JSON" if isinstance(problem, json.JSONDecodeError) else str(problem)
            self.first_bad = self.first_bad or f"line {self._number}: {reason[:LONGEST_EXCERPT]}"
            return None


def _report(text: str, file: str) -> Report:
    stretch = from_json(text)
    process = json.loads(text).get("process")
    known: dict[str, Any] = process if isinstance(process, dict) else {}
    pools = known.get("pools")
    return Report(
        stretch=stretch,
        file=file,
        pid=_count(known, "pid"),
        threads=_count(known, "threads"),
        pools={
            str(alias): Pool(
                _count(pool, "used") or 0, _count(pool, "max") or 0, _count(pool, "waiting") or 0
            )
            for alias, pool in (pools.items() if isinstance(pools, dict) else ())
            if isinstance(pool, dict)
        },
    )


def _count(known: dict[str, Any], name: str) -> int | None:
    value = known.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
