"""Decorators of the project: whether what they make of an async function is still async."""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.source.code.index import Func
from freeloop.source.code.kinds import Ext, FuncRef
from freeloop.source.code.resolve import Resolver
from freeloop.source.code.terms import ASSIGN, CALL, EXPRESSION, RETURN, Term, Terms

# A decorator with one of these in a name knows that it may be given an async function.
KNOWS = ("coroutine", "awaitable", "async", "await")


def sync_wrapper(resolver: Resolver, func: Func) -> Func | None:
    """Return the sync function that stands in an async one's place after its decorators.

    Whoever calls it gets a coroutine and takes the function for a sync one. None where an outer
    decorator may await it, or where reading does not tell.
    """
    found: Func | None = None
    # The innermost decorator comes first: what an outer one makes of it decides.
    for name, term, kind in resolver.decorator_names(func):
        if isinstance(kind, FuncRef):
            made = _made(kind.func, is_called=type(term) is tuple and term[0] == CALL)
            if made is None:
                return None
            found = made
        elif not isinstance(kind, Ext) or not name.startswith("django."):
            return None
    return found


def _made(decorator: Func, *, is_called: bool) -> Func | None:
    """Return the sync function that a decorator puts around the one it is given."""
    if is_called:
        inner = _returned_function(decorator)
        if inner is None:
            return None
        decorator = inner
    wrapper = _returned_function(decorator)
    if wrapper is None or wrapper.is_async or wrapper.yields or not decorator.parameters:
        return None
    if any(part in text for text in _texts(decorator.body) for part in KNOWS):
        return None
    if any(part in text for text in _texts(wrapper.body) for part in KNOWS):
        return None
    given = decorator.parameters[0][0]
    return wrapper if _only_calls(wrapper.body, given) else None


def _returned_function(func: Func) -> Func | None:
    """Return the inner function that a function returns, also through one more call."""
    names: set[str] = set()
    for term in func.body:
        if term[0] == RETURN:
            value = term[1]
            if type(value) is tuple and value[0] == CALL and value[2]:
                value = value[2][0]
            if type(value) is str:
                names.add(value)
    inner = [
        each for each in func.module.functions if each.outer is func and each.last_name in names
    ]
    return inner[0] if len(inner) == 1 else None


def _only_calls(body: Terms, given: str) -> bool:
    """Tell whether a body calls a name as a sync function would be, and does nothing else to it."""
    plain = sum(_is_plain_call(term, given) for term in _statements(body))
    return plain > 0 and plain == sum(text == given for text in _texts(body))


def _is_plain_call(term: Term, given: str) -> bool:
    if term[0] not in (RETURN, ASSIGN, EXPRESSION):
        return False
    value = term[2] if term[0] == ASSIGN else term[1]
    return type(value) is tuple and value[0] == CALL and value[1] == given


def _statements(terms: Term) -> Iterator[Term]:
    """Yield statements and what lies inside them."""
    for each in terms:
        if type(each) is tuple and each:
            if type(each[0]) is int:
                yield each
            yield from _statements(each)


def _texts(terms: Term) -> Iterator[str]:
    """Yield every name and text below."""
    for each in terms:
        if type(each) is str:
            yield each
        elif type(each) is tuple:
            yield from _texts(each)
