"""One file to be edited: its text, its tree, and where a node stands in the text."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from freeloop.source.code.expressions import Expressions
from freeloop.source.code.terms import Term

# What Python takes for the end of a line; `str.splitlines` knows more.
LINE_END = re.compile(r"\r\n|\n")


class Unfit(Exception):  # noqa: N818 - a state of the file, not a fault of ours
    """A file that no edit can be placed in, with the reason."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the characters that it covers."""

    kind: int
    text: str
    start: int
    end: int


class Source:
    """A file as text and as a tree.

    Attributes:
        path: Absolute.
        shown: As findings name it.
        content: Its bytes.
        encoding: Of the bytes; "utf-8-sig" when they begin with a byte order mark.
        text: With its own ends of lines.
        tree: Its syntax tree.
    """

    def __init__(self, path: str, shown: str, content: bytes) -> None:
        """Read the bytes of a file.

        Raises:
            Unfit: If they are no Python text that positions can be told in.
        """
        self.path = path
        self.shown = shown
        self.content = content
        try:
            self.encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
            self.text = content.decode(self.encoding)
            self.tree = ast.parse(self.text)
        except (SyntaxError, ValueError) as error:
            raise Unfit(f"the file does not parse: {error}") from error
        if "\r" in self.text.replace("\r\n", ""):
            raise Unfit("the file ends lines with a lone carriage return")

    @cached_property
    def line_starts(self) -> list[int]:
        """Where each line begins."""
        return [0, *(match.end() for match in LINE_END.finditer(self.text))]

    @property
    def newline(self) -> str:
        """How the file ends its lines."""
        found = LINE_END.search(self.text)
        return found[0] if found else "\n"

    def offset(self, line: int, column: int) -> int:
        """Return a position of the tree, whose columns count bytes, in characters of the text."""
        start = self.line_starts[line - 1]
        whole = self.text[start : start + column]
        if whole.isascii():
            return start + column
        return start + len(self.line(line).encode()[:column].decode())

    def start(self, node: ast.AST) -> int:
        """Return where a node begins."""
        return self.offset(getattr(node, "lineno"), getattr(node, "col_offset"))  # noqa: B009

    def end(self, node: ast.AST) -> int:
        """Return where a node ends."""
        line, column = getattr(node, "end_lineno"), getattr(node, "end_col_offset")  # noqa: B009
        return self.offset(line, column)

    def written(self, node: ast.AST) -> str:
        """Return a node as it stands in the text."""
        return self.text[self.start(node) : self.end(node)]

    def place(self, offset: int) -> tuple[int, int]:
        """Return line, from 1, and column, in characters, of an offset."""
        line = sum(start <= offset for start in self.line_starts)
        return line, offset - self.line_starts[line - 1]

    def line(self, number: int) -> str:
        """Return a line of the text with its end."""
        starts = [*self.line_starts, len(self.text)]
        return self.text[starts[number - 1] : starts[number]]

    @cached_property
    def tokens(self) -> list[Token]:
        """The tokens, comments among them."""
        found = []
        for each in tokenize.generate_tokens(io.StringIO(self.text, newline="").readline):
            start = self.line_starts[each.start[0] - 1] + each.start[1]
            end = self.line_starts[each.end[0] - 1] + each.end[1]
            found.append(Token(each.type, each.string, start, end))
        return found

    def has_comment(self, start: int, end: int) -> bool:
        """Tell whether a comment stands between two offsets."""
        return any(
            token.kind == tokenize.COMMENT and start <= token.start < end for token in self.tokens
        )

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node around each node."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def around(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """Yield (a node, the node around it) from a node outwards."""
        while node in self.parents:
            outer = self.parents[node]
            yield node, outer
            node = outer

    @cached_property
    def _at(self) -> dict[tuple[int, int], list[ast.AST]]:
        found: dict[tuple[int, int], list[ast.AST]] = {}
        for node in ast.walk(self.tree):
            line = getattr(node, "lineno", None)
            if line is not None:
                found.setdefault((line, getattr(node, "col_offset", 0)), []).append(node)
        return found

    def at(self, line: int, column: int) -> list[ast.AST]:
        """Return the nodes that begin at a position of the tree."""
        return self._at.get((line, column), [])

    def call(self, line: int, column: int, callee: Term) -> ast.Call | None:
        """Return the call of a term; calls in a chain begin at one place."""
        for node in self.at(line, column):
            if isinstance(node, ast.Call) and term_of(node.func) == callee:
                return node
        return None


def term_of(node: ast.expr) -> Term:
    """Return a node as the analysis keeps it."""
    return Expressions().expression(node)
