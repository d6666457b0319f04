"""The project's source around the lines that a request touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

# Shown above and below each touched line; a function is mostly shorter than that.
AROUND = 12


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One shown line.

    Attributes:
        number: From 1.
        text: Without its line break.
        touched: Whether the request stopped here.
        after_gap: Whether lines before it are left out.
    """

    number: int
    text: str
    touched: bool
    after_gap: bool


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file.

    Attributes:
        path: As the trace names it.
        lines: Those that are shown.
    """

    path: str
    lines: tuple[SourceLine, ...]


def source_files(
    sources: Mapping[str, str], touched: Iterable[tuple[str, int]]
) -> tuple[SourceFile, ...]:
    """Return the files in the order in which the request came to them."""
    lines_by_path: dict[str, set[int]] = {}
    for path, line in touched:
        if path in sources:
            lines_by_path.setdefault(path, set()).add(line)
    return tuple(
        SourceFile(path, tuple(_shown(sources[path].splitlines(), lines)))
        for path, lines in lines_by_path.items()
    )


def _shown(text: Sequence[str], touched: set[int]) -> Iterator[SourceLine]:
    before = 0
    for number, line in enumerate(text, start=1):
        if any(abs(number - each) <= AROUND for each in touched):
            yield SourceLine(number, line, number in touched, number > before + 1)
            before = number
