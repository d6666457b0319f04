"""Fold the files of news/ into CHANGELOG.md as one release, and remove them.

Usage: python scripts/assemble_news.py 1.2.3
A news file is `news/<slug>.<added|changed|fixed|removed>.md`, written to a user: what they will
see and what to do. One file per change, so that branches never meet in one line.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

KINDS = ("added", "changed", "fixed", "removed")
NAME = re.compile(rf"(?P<slug>[a-z0-9-]+)\.(?P<kind>{'|'.join(KINDS)})\.md")
RELEASE = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")
# Releases go below this line, the newest first.
MARK = "<!-- releases -->\n"


class NewsError(Exception):
    """Something in news/, the release or the changelog is not as it must be."""


@dataclass(frozen=True, slots=True)
class Item:
    """One change, told to a user.

    Attributes:
        kind: One of KINDS.
        slug: Name of the change; items of a kind are sorted by it.
        text: Markdown, without surrounding space.
    """

    kind: str
    slug: str
    text: str


def read_news(folder: Path) -> tuple[Item, ...]:
    """Return the changes in a folder, sorted by kind and slug."""
    items = []
    for path in folder.iterdir():
        if path.name == "README.md":
            continue
        match = NAME.fullmatch(path.name)
        if match is None:
            raise NewsError(f"{path}: name it <slug>.<{'|'.join(KINDS)}>.md")
        text = path.read_text(encoding="utf-8").strip()
        if not text:
            raise NewsError(f"{path}: says nothing")
        items.append(Item(match["kind"], match["slug"], text))
    return tuple(sorted(items, key=lambda item: (KINDS.index(item.kind), item.slug)))


def section(items: tuple[Item, ...], release: str, day: date) -> str:
    """Return the Markdown of one release."""
    parts = [f"## {release} ({day.isoformat()})"]
    for kind in KINDS:
        told = [item.text for item in items if item.kind == kind]
        if told:
            parts.append(f"### {kind.capitalize()}")
            parts.append("\n".join("- " + text.replace("\n", "\n  ") for text in told))
    return "\n\n".join(parts) + "\n"


def fold(changelog: str, items: tuple[Item, ...], release: str, day: date) -> str:
    """Return the changelog with the release on top of the older ones."""
    if not RELEASE.fullmatch(release):
        raise NewsError(f"{release!r} is no version; name the release: make news RELEASE=1.2.3")
    if not items:
        raise NewsError("news/ holds no change")
    if f"## {release} (" in changelog:
        raise NewsError(f"CHANGELOG.md has {release} already")
    if MARK not in changelog:
        raise NewsError(f"CHANGELOG.md lacks the line {MARK.strip()}")
    head, older = changelog.split(MARK, 1)
    return f"{head}{MARK}\n{section(items, release, day)}{older}"


def main(release: str, root: Path) -> None:
    """Write the changelog, then remove the files that it now holds."""
    items = read_news(root / "news")
    changelog = root / "CHANGELOG.md"
    day = datetime.now(UTC).date()
    changelog.write_text(
        fold(changelog.read_text(encoding="utf-8"), items, release, day), encoding="utf-8"
    )
    for item in items:
        (root / "news" / f"{item.slug}.{item.kind}.md").unlink()


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) == 2 else "", Path(__file__).parents[1])
    except NewsError as error:
        sys.exit(f"assemble_news: {error}")
