"""Patterns of paths as .gitignore writes them: `migrations/`, `*_pb2.py`, `shop/**/old.py`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

# One sign of a pattern, or a set of letters in brackets.
PIECE = re.compile(r"\*|\?|\[!?[^\]]+\]|.")


def any_matches(patterns: Sequence[str], path: str) -> bool:
    """Tell whether one of the patterns means a path, or a folder that it lies in.

    Args:
        patterns: Without a slash inside they mean that name at any depth.
        path: Relative to where the patterns start from, with slashes.
    """
    return any(compiled(pattern).match(path) for pattern in patterns)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the pattern as a regular expression for whole paths."""
    parts = [part for part in pattern.split("/") if part]
    anchored = "/" in pattern.rstrip("/")
    text = "" if anchored else "(?:[^/]+/)*"
    for part in parts[:-1]:
        text += "(?:[^/]+/)*" if part == "**" else f"{_part(part)}/"
    text += _part(parts[-1]) if parts else "(?!)"
    # A folder means all that is in it; written with a slash, it means folders alone.
    below = "/.*" if pattern.endswith("/") else "(?:/.*)?"
    return re.compile(f"{text}{below}\\Z", re.DOTALL)


def _part(part: str) -> str:
    if part == "**":
        return ".+"
    return "".join(_piece(piece) for piece in PIECE.findall(part))


def _piece(piece: str) -> str:
    if piece == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) > 1:
        inside = piece[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    return re.escape(piece)
