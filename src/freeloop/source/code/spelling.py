"""Terms as people write them, and the line that they stand in."""

from __future__ import annotations

from freeloop.source.code.terms import (
    ATTRIBUTE,
    AWAIT,
    CALL,
    COMPARE,
    PARTS,
    STARRED,
    SUBSCRIPT,
    Term,
)


def written(term: Term) -> str:
    """Return a term as people write it, calls without their arguments."""
    if type(term) is str:
        return term
    if type(term) is not tuple:
        return ""
    tag = term[0]
    if tag == ATTRIBUTE:
        base = written(term[1])
        return f"{base}.{term[2]}" if base else str(term[2])
    if tag == CALL:
        return f"{written(term[1])}()"
    if tag in (AWAIT, STARRED):
        return written(term[1])
    if tag == SUBSCRIPT:
        return f"{written(term[1])}[...]"
    return ""


def line_of(term: Term) -> int:
    """Return the line that a term tells; 0 if it tells none."""
    if type(term) is not tuple:
        return 0
    tag = term[0]
    if tag in (ATTRIBUTE, SUBSCRIPT):
        return int(term[3])
    if tag == CALL:
        return int(term[4])
    if tag == AWAIT:
        return int(term[2])
    if tag in (COMPARE, PARTS):
        return next((line for each in term[2] if (line := line_of(each))), 0)
    return 0
