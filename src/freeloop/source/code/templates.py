"""Templates: what a Django template looks up, which tags it calls, in which line; read as text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from freeloop.source.code.files import LEFT_OUT

FOLDERS = ("templates",)
LARGEST = 400_000
DEEPEST = 12
_PARTS = re.compile(r"\{%-?\s*(.*?)\s*-?%\}|\{\{-?\s*(.*?)\s*-?\}\}|\{#.*?#\}", re.DOTALL)
_UNREAD = re.compile(
    r"\{%\s*(comment|verbatim)\b.*?%\}.*?\{%\s*end\1\b.*?%\}", re.DOTALL
)  # fmt: skip
_BLOCK = re.compile(r"\{%\s*block\s+(\w+)")
_BLOCK_OR_END = re.compile(r"\{%\s*(?:block\s+(\w+)|endblock\b[^%]*)\s*%\}")
_TEXT = re.compile(r"\"[^\"]*\"|'[^']*'")
_PATH = re.compile(r"(?<![\w.|:\"'])([A-Za-z_]\w*(?:\.\w+)*)")
_FILTER = re.compile(r"\|\s*(\w+)")
_WORDS = frozenset({"and", "or", "not", "in", "is", "as", "with", "only", "True", "False", "None",
                    "reversed", "by", "count", "asvar", "context", "forloop"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lookup:
    """A variable that a template asks for.

    Attributes:
        path: "order.guest.name".
        line: In its file.
        file: Name of the template.
        looped: Whether its items are taken: `{% for x in path %}`.
        alias: Name that its items, or itself, get from there on; "" without one.
    """

    path: str
    line: int
    file: str
    looped: bool = False
    alias: str = ""


@dataclass(slots=True)
class Drawn:
    """What drawing a template does, its parents and includes among it.

    Attributes:
        lookups: In the order of the text.
        tags: Names of tags and filters with their line and template.
        loads: Libraries of tags.
        whole: Whether every part of it could be read.
    """

    lookups: list[Lookup] = field(default_factory=list)
    tags: list[tuple[str, int, str]] = field(default_factory=list)
    loads: set[str] = field(default_factory=set)
    whole: bool = True


class Templates:
    """Finds templates by name, below the folders of a project that are named `templates`."""

    def __init__(self, root: Path) -> None:
        """Find them below a directory; it is walked when first asked."""
        self._root = root
        self._files: dict[str, Path] | None = None
        self._drawn: dict[str, Drawn | None] = {}

    def draw(self, name: str) -> Drawn | None:
        """Return what drawing a template does; None if the project has none of that name."""
        if name not in self._drawn:
            drawn = Drawn()
            found = self._read(name, drawn, set())
            self._drawn[name] = drawn if found else None
        return self._drawn[name]

    def _read(
        self, name: str, drawn: Drawn, seen: set[str], *, replaced: frozenset[str] = frozenset()
    ) -> bool:
        """Note what one template does, but for the blocks that a child puts others in place of."""
        path = self._find().get(name)
        if path is None or len(seen) > DEEPEST:
            return False
        if name in seen:
            return True
        seen.add(name)
        try:
            text = path.read_text(encoding="utf-8") if path.stat().st_size <= LARGEST else ""
        except (OSError, UnicodeError):
            return False
        text = _UNREAD.sub(lambda found: "\n" * found[0].count("\n"), text)
        blocks = frozenset() if ".super" in text else replaced | set(_BLOCK.findall(text))
        text = _without(text, replaced)
        for part in _PARTS.finditer(text):
            line = text.count("\n", 0, part.start()) + 1
            if part[2] is not None:
                _expression(part[2], line, name, drawn)
            elif part[1]:
                word, _, rest = part[1].partition(" ")
                if word in ("extends", "include"):
                    other = _TEXT.match(rest.strip())
                    inside = blocks if word == "extends" else frozenset()
                    if other is None or not self._read(
                        other[0][1:-1], drawn, seen, replaced=inside
                    ):
                        drawn.whole = False
                else:
                    _tag(word, rest.strip(), line, name, drawn)
        return True

    def _find(self) -> dict[str, Path]:
        if self._files is None:
            self._files = {}
            for name, path in _below(self._root):
                self._files.setdefault(name, path)
        return self._files


def _tag(word: str, rest: str, line: int, name: str, drawn: Drawn) -> None:
    """Note what a tag looks up, loads and calls."""
    if word == "load":
        names = rest.partition(" from ")
        drawn.loads |= set((names[2] or names[0]).split())
    elif word == "for":
        target, _, source = rest.partition(" in ")
        found = _PATH.match(source)
        if found is not None:
            alias = "" if "," in target else target.strip()
            drawn.lookups.append(Lookup(found[1], line, name, looped=True, alias=alias))
    elif word == "with":
        pairs = re.findall(r"(\w+)=([\w.]+)", rest)
        pairs += [(alias, path) for path, alias in re.findall(r"([\w.]+)\S* as (\w+)", rest)]
        drawn.lookups += [Lookup(path, line, name, alias=alias) for alias, path in pairs]
    elif not word.startswith(("end", "block")):
        drawn.tags.append((word, line, name))
        _expression(rest, line, name, drawn)


def _expression(text: str, line: int, name: str, drawn: Drawn) -> None:
    """Note the variables and filters of `order.guest.name|title|default:other`."""
    plain = _TEXT.sub('""', text)
    drawn.tags += [(each, line, name) for each in _FILTER.findall(plain)]
    for found in _PATH.finditer(plain):
        is_keyword = plain[found.end() : found.end() + 1] == "="
        if found[1] not in _WORDS and not is_keyword:
            drawn.lookups.append(Lookup(found[1], line, name))


def _without(text: str, blocks: frozenset[str]) -> str:
    """Return a template without what some of its blocks hold; every line keeps its number."""
    if not blocks:
        return text
    kept: list[str] = []
    ends: list[bool] = []
    at = 0
    for tag in _BLOCK_OR_END.finditer(text):
        piece = text[at : tag.end()]
        kept.append("\n" * piece.count("\n") if any(ends) else piece)
        at = tag.end()
        if tag[1]:
            ends.append(tag[1] in blocks)
        elif ends:
            ends.pop()
    return "".join([*kept, text[at:]])


def _below(root: Path) -> Iterator[tuple[str, Path]]:
    for here, folders, files in os.walk(root):
        folders[:] = sorted(
            each for each in folders if each not in LEFT_OUT and not each.startswith(".")
        )
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        for each in FOLDERS:
            if each in folders:
                folders.remove(each)
                top = Path(here, each)
                for path in sorted(top.rglob("*")):
                    if path.is_file():
                        yield path.relative_to(top).as_posix(), path
