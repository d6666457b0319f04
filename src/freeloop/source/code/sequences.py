"""Sequences: awaits of one function that stand in a row and do not need one another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freeloop.source.code.terms import (
    ASSIGN,
    ATTRIBUTE,
    AWAIT,
    CALL,
    COMPREHENSION,
    EXPRESSION,
    FOR,
    IF,
    NAMED,
    RETURN,
    TRY,
    WHILE,
    WITH,
    Term,
    Terms,
)


@dataclass(frozen=True, slots=True)
class Sequence:
    """Awaits in a row.

    Attributes:
        places: Line and column of each call that is awaited, in order.
        looped: Whether it is one await in a comprehension.
    """

    places: tuple[tuple[int, int], ...]
    looped: bool = False


def awaits_in_sequence(body: Terms) -> Iterator[Sequence]:
    """Yield the runs of two awaited calls and more, and the comprehensions over one.

    No call of a run uses a name that an earlier one of it gives, or an object that an earlier one
    was called on without being given to anything: what they do to it is not known.
    """
    run: list[tuple[int, int]] = []
    given: set[str] = set()
    for term in body:
        call = _awaited_call(term)
        if call is None or given & set(_names(call)):
            yield from _of_run(run)
            run, given = [], set()
        if call is not None:
            run.append((call[4], call[5]))
            given |= set(_targets(term))
        yield from _inside(term)
        yield from _comprehensions(term)
    yield from _of_run(run)


def _of_run(run: list[tuple[int, int]]) -> Iterator[Sequence]:
    if len(run) > 1:
        yield Sequence(tuple(run))


def _awaited_call(term: Term) -> Term:
    """Return the call of `name = await call(...)` or `await call(...)`; None for anything else."""
    value = term[2] if term[0] == ASSIGN else term[1] if term[0] == EXPRESSION else None
    if type(value) is tuple and value[0] == AWAIT:
        call = value[1]
        if type(call) is tuple and call[0] == CALL and not _holds(call, (AWAIT, NAMED)):
            return call
    return None


def _targets(term: Term) -> Iterator[str]:
    if term[0] == ASSIGN:
        yield from _names(term[1])


def _inside(term: Term) -> Iterator[Sequence]:
    tag = term[0]
    if tag in (IF, WHILE):
        blocks = [term[2], term[3]]
    elif tag == FOR:
        blocks = [term[3], term[4]]
    elif tag == WITH:
        blocks = [term[2]]
    elif tag == TRY:
        blocks = [term[1], term[3], term[4]]
    else:
        blocks = []
    for block in blocks:
        yield from awaits_in_sequence(block)


def _comprehensions(term: Term) -> Iterator[Sequence]:
    """Yield the comprehensions of a statement whose items are one awaited call each."""
    value = term[2] if term[0] == ASSIGN else term[1] if term[0] in (EXPRESSION, RETURN) else None
    if type(value) is not tuple or value[0] != COMPREHENSION or value[1] == "generator":
        return
    _, _, elements, generators, _, _ = value
    item = elements[-1] if len(elements) == 1 else None
    if len(generators) != 1 or type(item) is not tuple or item[0] != AWAIT:
        return
    _, _, conditions, is_async = generators[0]
    call = item[1]
    if is_async or type(call) is not tuple or call[0] != CALL:
        return
    if not _holds(call, (AWAIT, NAMED)) and not _holds(conditions, (AWAIT, NAMED)):
        yield Sequence(((call[4], call[5]),), looped=True)


def _holds(term: Term, tags: tuple[int, ...]) -> bool:
    if type(term) is not tuple or not term:
        return False
    is_tagged = type(term[0]) is int and term[0] in tags
    return is_tagged or any(_holds(each, tags) for each in term)


def _names(term: Term) -> Iterator[str]:
    """Yield the names in a term, and `self.name` as one."""
    if type(term) is str:
        yield term
    elif type(term) is tuple and term:
        if term[0] == ATTRIBUTE and type(term[1]) is str:
            yield f"{term[1]}.{term[2]}"
        for each in term:
            yield from _names(each)
