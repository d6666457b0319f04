"""One file's summary: bytes to tables and terms, or the reason why it cannot be read."""

from __future__ import annotations

import ast
import hashlib
import marshal
import re
import warnings
from dataclasses import dataclass
from typing import Any

from freeloop.model.finding import Unread
from freeloop.source.code.reader import Reader
from freeloop.source.code.terms import ATTRIBUTE, SUBSCRIPT, Term, Terms

# What a file may hold, known without reading its summary.
HAS_ASYNC = 1
HAS_CLASSES = 2
UNREADABLE = 4
HANDS_OVER = 8

# Where its bases stand in the row of a class.
BASES = 3

# Libraries that are given handlers as arguments, and responses that are given generators.
REGISTRARS = ("aiohttp.web", "telegram.ext.", "aiogram.", "discord.", "telethon.", "socketio.")
STREAMS = ("django.http.StreamingHttpResponse", "django.http.response.StreamingHttpResponse")

_EXCEPT = re.compile(rb"^(\s*except\s+)([^(:][^:]*,[^:]*?)(\s*:)")
_COMMENT = re.compile(
    r"#\s*(?:noqa(?P<codes>:\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?"
    r"|freeloop:\s*ignore(?:\[(?P<names>[^\]]*)\])?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What is kept of a file.

    Attributes:
        imports: As `Reader.imports`.
        functions: As `Reader.functions`.
        classes: As `Reader.classes`.
        body: Statements of the module itself.
        ignored: Line -> ids and names of rules that a comment on it silences; "*" for all.
    """

    imports: tuple[tuple[str, str], ...]
    functions: tuple[Any, ...]
    classes: tuple[Any, ...]
    body: Terms
    ignored: dict[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A summary as it is kept: packed, because most are never asked for.

    Attributes:
        digest: Of the file's bytes.
        flags: HAS_ASYNC, HAS_CLASSES, UNREADABLE.
        packed: What `unpack` reads; of an unreadable file its line and problem.
        bases: Last names of what its classes are derived from, as they are called where they
            are imported from.
    """

    digest: bytes
    flags: int
    packed: bytes
    bases: tuple[str, ...] = ()

    def unpack(self) -> Summary:
        """Return the summary."""
        return Summary(*marshal.loads(self.packed))

    def unread(self, path: str) -> Unread:
        """Return why an UNREADABLE file could not be read."""
        line, problem = marshal.loads(self.packed)
        return Unread(path, line, problem)


def digest_of(content: bytes) -> bytes:
    """Return what tells one content from another."""
    return hashlib.blake2b(content, digest_size=16).digest()


def summarise(content: bytes, package: str, digest: bytes) -> Kept:
    """Return the summary of a file; a file that does not parse gives the reason, never an error.

    Args:
        content: Of the file.
        package: Dotted name of the package that relative imports start from.
        digest: `digest_of(content)`.
    """
    try:
        with warnings.catch_warnings():
            # Warnings about the project's own strings are not ours to show.
            warnings.simplefilter("ignore")
            tree = _parse(content)
        reader = Reader(package)
        body = reader.block(tree.body)
        summary = (
            tuple(reader.imports),
            tuple(reader.functions),
            tuple(reader.classes),
            body,
            ignored_lines(content),
        )
        packed = marshal.dumps(summary, 2)
    except SyntaxError as error:
        return unreadable(digest, error.lineno, error.msg)
    except (ValueError, RecursionError, MemoryError, UnicodeError) as error:
        return unreadable(digest, None, str(error) or type(error).__name__)
    flags = HAS_ASYNC if any(function[3] for function in reader.functions) else 0
    if reader.classes:
        flags |= HAS_CLASSES
    if any(f"{name}.".startswith((*REGISTRARS, *STREAMS)) for _, name in reader.imports):
        flags |= HANDS_OVER
    return Kept(digest, flags, packed, _bases(reader))


def _bases(reader: Reader) -> tuple[str, ...]:
    imported = {name: dotted.rpartition(".")[2] for name, dotted in reader.imports}
    names = {_last_name(base) for row in reader.classes for base in row[BASES]}
    return tuple(sorted({imported.get(name, name) for name in names if name}))


def _last_name(term: Term) -> str:
    """Return what a base is called: "Generic" of `typing.Generic[T]`, "" of a call."""
    while type(term) is tuple and term[0] == SUBSCRIPT:
        term = term[1]
    if type(term) is tuple and term[0] == ATTRIBUTE:
        return str(term[2])
    return term if type(term) is str else ""


def _parse(content: bytes) -> ast.Module:
    """Return the syntax tree; `except A, B:` of Python 3.14 is read by older ones too."""
    while True:
        try:
            return ast.parse(content)
        except SyntaxError as error:
            mended = _with_brackets(content, error)
            if mended is None:
                raise
            content = mended


def _with_brackets(content: bytes, error: SyntaxError) -> bytes | None:
    """Return a file with brackets around the exceptions of the line that an error names."""
    if error.lineno is None or "parenthesized" not in error.msg:
        return None
    lines = content.splitlines(keepends=True)
    line = lines[error.lineno - 1]
    mended = _EXCEPT.sub(rb"\1(\2)\3", line)
    if mended == line:
        return None
    return b"".join([*lines[: error.lineno - 1], mended, *lines[error.lineno :]])


def ignored_lines(content: bytes) -> dict[int, tuple[str, ...]]:
    """Return which rules comments silence, by line; "*" stands for all."""
    if b"noqa" not in content and b"freeloop:" not in content and b"NOQA" not in content:
        return {}
    found: dict[int, tuple[str, ...]] = {}
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        if "#" not in line:
            continue
        for match in _COMMENT.finditer(line):
            words = match["codes"] or match["names"] or ""
            names = tuple(re.findall(r"[\w-]+", words)) or ("*",)
            found[number] = (*found.get(number, ()), *names)
    return found


def unreadable(digest: bytes, line: int | None, problem: str | None) -> Kept:
    """Return what is kept of a file that cannot be read: why."""
    return Kept(digest, UNREADABLE, marshal.dumps((line, problem or "cannot be parsed")))
