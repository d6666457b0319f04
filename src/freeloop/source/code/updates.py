"""Updates: shared state that is read, awaited over, and written from what was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from freeloop.source.code.index import Func
from freeloop.source.code.sites import Site, What
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
        site: The write.
        text: What is written, "self.served".
        read_line: Where it was read.
    """

    site: Site
    text: str
    read_line: int


def updates_across_await(func: Func) -> Iterator[Update]:
    """Yield writes to shared state of a value that was read before an await."""
    if func.awaits:
        yield from _Follower(func).block(func.body)


class _Follower:
    """Follows variables that hold shared state through one function, in the order of its lines."""

    def __init__(self, func: Func) -> None:
        self._func = func
        self._own = func.parameters[0][0] if func.cls is not None and func.parameters else ""
        self._globals = {name for term in func.body if term[0] == GLOBAL for name in term[1]}
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
                        site = Site(What.WRITE, self._func, line, 0, text, None)
                        yield Update(site, text, read_line)
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
