"""Edits by position: placed all at once, refused when they overlap."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from freeloop.fix.source import Source
from freeloop.model.finding import Edit


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """Text to put in place of what stands from `start` to `end`, in characters of the file."""

    start: int
    end: int
    text: str


class Overlap(Exception):  # noqa: N818 - the second edit waits for its turn
    """Two edits want the same place."""


def placed(text: str, pieces: Iterable[Piece]) -> str:
    """Return a text with all pieces put in; two equal pieces are one.

    Raises:
        Overlap: If two pieces change one place, or both insert there: their order would be chance.
    """
    parts: list[str] = []
    done = 0
    before: Piece | None = None
    for piece in sorted(set(pieces)):
        if piece.start < done or (before is not None and piece.start == before.start):
            raise Overlap(f"two edits at character {piece.start}")
        parts += [text[done : piece.start], piece.text]
        done, before = piece.end, piece
    return "".join([*parts, text[done:]])


def as_edits(source: Source, pieces: Iterable[Piece]) -> tuple[Edit, ...]:
    """Return pieces as edits by line and column."""
    found = []
    for piece in sorted(set(pieces)):
        line, column = source.place(piece.start)
        end_line, end_column = source.place(piece.end)
        found.append(Edit(source.shown, line, column, end_line, end_column, piece.text))
    return tuple(found)


def write(path: Path, before: bytes, after: bytes) -> None:
    """Put a file's new content in its place in one step, with the same mode.

    Raises:
        OSError: If it cannot be written, or holds something else than `before` by now.
    """
    target = path.resolve()
    if target.read_bytes() != before:
        raise OSError(f"{path} has changed since it was read")
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(after)
        Path(temporary).chmod(target.stat().st_mode)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
