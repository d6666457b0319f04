"""Lazy: what code that runs in a thread has looked at, so that nobody loads it again."""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.source.code.kinds import Ext, FuncRef, Kind, LambdaRef, Offload
from freeloop.source.code.results import IN_THREAD
from freeloop.source.code.spelling import written
from freeloop.source.code.terms import ATTRIBUTE, BOOLEAN, CHOICE, IF, Term


def looked_at(target: Kind | None, arguments: tuple[Kind | None, ...]) -> frozenset[str]:
    """Return what a call looks at in a thread, each as written: "request.user" of its `id`."""
    run: Kind | None = None
    if type(target) is Offload:
        run = target.inner
    elif type(target) is Ext and target.name in IN_THREAD:
        run = arguments[0] if arguments else None
    match run:
        case LambdaRef():
            return frozenset(_read(run.term[2]))
        case FuncRef() if run.func.outer is not None:
            # A function of this function: its names are the same.
            return frozenset(_read(run.func.body))
        case _:
            return frozenset()


def _read(term: Term) -> Iterator[str]:
    """Yield what has an attribute read in any case."""
    if type(term) is not tuple:
        return
    if term and term[0] == ATTRIBUTE:
        yield written(term[1])
    if term and term[0] in (BOOLEAN, CHOICE, IF):
        # The first is always computed.
        term = term[1][:1] if term[0] == BOOLEAN else (term[1],)
    for each in term:
        yield from _read(each)
