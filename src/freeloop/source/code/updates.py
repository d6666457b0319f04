"""Updates: shared state that is read, awaited over, and written from what was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from freeloop.source.code.spelling import written
from freeloop.source.code.terms import (
    ANNOTATED,
    ASSIGN,
    ATTRIBUTE,
    AUGMENT,
    AWAIT,
    EXPRESSION,
    FOR,
    GLOBAL,
    IF,
    TRY,
    WHILE,
    WITH,
    Term,
    Terms,
)


@dataclass(frozen=True, slots=True)
class Update:
    """One lost update in waiting.

    Attributes:
        line: Of the write.
        text: What is written, "self.served".
        read_line: Where it was read.
    """

    line: int
    text: str
    read_line: int


def updates_across_await(body: Terms, own: str) -> Iterator[Update]:
    """Yield writes to shared state of a value that was read before an await.

    Args:
        body: Of a function.
        own: What it calls the object that it is a method of; "" for a function.
    """
    return _Follower(body, own).block(body)


class _Follower:
    """Follows variables that hold shared state through one function, in the order of its lines."""

    def __init__(self, body: Terms, own: str) -> None:
        self._own = own
        self._globals = {name for term in body if term[0] == GLOBAL for name in term[1]}
        # Variable -> what it was read from, in which line, and whether an await came since.
        self._read: dict[str, tuple[str, int, bool]] = {}

    def block(self, body: Terms) -> Iterator[Update]:
        for term in body:
            tag = term[0]
            if tag == ASSIGN:
                yield from self._assign(term)
            elif tag == ANNOTATED and type(term[1]) is str:
                self._bind(term[1], term[3], term[4])
            elif tag == WITH and term[3]:
                # Inside `async with lock:` nobody else writes; any async block is trusted.
                self._awaited()
            else:
                if _awaits(_first_part(term)):
                    self._awaited()
                yield from self.block(_inside(term))

    def _assign(self, term: Term) -> Iterator[Update]:
        _, targets, value, line = term
        if _awaits(value):
            self._awaited()
        for target in targets:
            if type(target) is str and target not in self._globals:
                self._bind(target, value, line)
            else:
                text = self._shared(target)
                used = set(_names(value))
                for name, (source, read_line, awaited) in self._read.items():
                    if text and source == text and awaited and name in used:
                        yield Update(line, text, read_line)
                        break

    def _bind(self, name: str, value: Term, line: int) -> None:
        text = self._shared(value)
        if text:
            self._read[name] = (text, line, False)
        else:
            self._read.pop(name, None)

    def _shared(self, term: Term) -> str:
        """Return an attribute of `self` or a global as text; "" for anything else."""
        if type(term) is str:
            return term if term in self._globals else ""
        if type(term) is tuple and term[0] == ATTRIBUTE and self._own and term[1] == self._own:
            return written(term)
        return ""

    def _awaited(self) -> None:
        self._read = {name: (text, line, True) for name, (text, line, _) in self._read.items()}


def _first_part(term: Term) -> Term:
    """Return what a statement evaluates before anything inside it; an async loop awaits."""
    tag = term[0]
    if tag == FOR:
        return (AWAIT, None) if term[5] else term[2]
    if tag in (IF, WHILE):
        return term[1]
    return term if tag in (EXPRESSION, AUGMENT) else None


def _inside(term: Term) -> Terms:
    """Return the statements inside a statement."""
    tag = term[0]
    if tag in (IF, WHILE):
        return (*term[2], *term[3])
    if tag == FOR:
        return tuple(term[3])
    if tag == WITH:
        return tuple(term[2])
    return (*term[1], *term[3], *term[4]) if tag == TRY else ()


def _awaits(term: Any) -> bool:
    if type(term) is not tuple or not term:
        return False
    # The arguments of a call are a plain tuple, whose first item is no tag.
    if type(term[0]) is int and term[0] == AWAIT:
        return True
    return any(_awaits(each) for each in term)


def _names(term: Any) -> Iterator[str]:
    if type(term) is str:
        yield term
    elif type(term) is tuple:
        for each in term:
            yield from _names(each)
