"""Lazy: what code that runs in a thread has looked at, so that nobody loads it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from freeloop.source.code.conditions import arguments_of, passed, passes_all
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import Ext, FuncRef, Kind, LambdaRef, Offload
from freeloop.source.code.results import IN_THREAD
from freeloop.source.code.sites import Site
from freeloop.source.code.spelling import written
from freeloop.source.code.surroundings import Surroundings
from freeloop.source.code.terms import (
    ATTRIBUTE,
    BOOLEAN,
    CHOICE,
    COMPREHENSION,
    FOR,
    IF,
    LAMBDA,
    MATCH,
    RAISE,
    RETURN,
    TRY,
    WHILE,
    Term,
    Terms,
)

# Methods of a session that read what was loaded with the user.
WITH_USER = ("get", "pop", "setdefault", "keys", "items")


def looked_at(site: Site) -> frozenset[str]:
    """Return what a call looks at in a thread, each as written: "request.user" of its `id`."""
    target = site.target
    run: Kind | None = None
    if type(target) is Offload:
        run = target.inner
    elif type(target) is Ext and target.name in IN_THREAD:
        run = site.arguments[0] if site.arguments else None
    match run:
        case LambdaRef():
            return frozenset(_read(run.term[2]))
        case FuncRef() if run.func.outer is not None:
            # A function of this function: its names are the same.
            return frozenset(_read_before_return(run.func))
        case FuncRef() if not run.func.is_async and type(target) is Offload:
            return _here(site, run.func, _read_before_return(run.func))
        case _:
            return frozenset()


def looked_at_by(program: Surroundings, site: Site, func: Func) -> frozenset[str]:
    """Return what an async function that is awaited looks at in a thread, as its call names it."""
    return _here(site, func, program.loaded(func))


def _here(site: Site, func: Func, paths: Iterable[str]) -> frozenset[str]:
    """Return what paths from a function's parameters are in a call of it."""
    given = arguments_of(site, func) if passes_all(func) else None
    found = (passed(each, given) for each in paths) if given else ()
    return frozenset([each for each in found if each])


def comes_with_user(callee: Term) -> str:
    """Return the user, as written, with whom a session's method has what it reads; "" if none."""
    request, _, method = written(callee).rpartition(".session.")
    return f"{request}.user" if request and method in WITH_USER else ""


def may_look(func: Func) -> bool:
    """Tell whether a function has to do with a user at all, before it is walked for that."""
    # Far cheaper than to look at every term.
    if b"user" not in func.packed:
        return False
    return any(each == "user" or each.endswith(".user") for each in _read(func.body, always=False))


def _read_before_return(func: Func) -> Iterator[str]:
    """Yield what has an attribute read whenever a function returns."""
    for term in func.body:
        yield from _read(term)
        if _holds(term, (RETURN, RAISE)):
            return


def _read(term: Term, *, always: bool = True) -> Iterator[str]:
    """Yield what has an attribute read, in any case or at all."""
    if type(term) is not tuple:
        return
    if term and term[0] == ATTRIBUTE:
        yield written(term[1])
    sure = _SURE.get(term[0]) if always and term and type(term[0]) is int else None
    for each in term if sure is None else sure(term):
        yield from _read(each, always=always)


def _holds(term: Term, tags: tuple[int, ...]) -> bool:
    """Tell whether one of some statements stands in a term."""
    if type(term) is not tuple or not term:
        return False
    return term[0] in tags or any(_holds(each, tags) for each in term)


# The parts that are computed in any case.
_SURE: dict[int, Callable[[Term], Terms]] = {
    BOOLEAN: lambda term: term[1][:1],
    CHOICE: lambda term: (term[1],),
    COMPREHENSION: lambda term: (term[3][0][1],),
    FOR: lambda term: (term[2],),
    IF: lambda term: (term[1],),
    LAMBDA: lambda term: (),
    MATCH: lambda term: (term[1],),
    TRY: lambda term: (),
    WHILE: lambda term: (term[1],),
}
