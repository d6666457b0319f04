"""Code blocks of the documentation, with the place of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block.

    Attributes:
        place: "docs/page.md:12", the line of its first character.
        language: Word after the fence; "" when there is none.
        text: What stands between the fences.
    """

    place: str
    language: str
    text: str


def blocks() -> list[Block]:
    """Return the blocks of all pages, in the order of pages and lines."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            place = f"{page.relative_to(ROOT)}:{line}"
            found.append(Block(place, match["language"], match["text"]))
    return found


def written_in(language: str) -> list[Block]:
    """Return the blocks of one language."""
    return [block for block in blocks() if block.language == language]
