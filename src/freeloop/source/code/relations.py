"""Relations: whether code that had a row before may have loaded, or set, what it points to.

`game.leave(user)` runs in a thread and sets `game.winner`; `serializer(order)` looks at
`order.guest`. What such code reads or sets is kept on the row: the next look runs no query.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from freeloop.source.code.index import Func
from freeloop.source.code.kinds import Coroutine, Ext, ExtMethod, FuncRef, Inst, Kind, Offload
from freeloop.source.code.results import IN_THREAD
from freeloop.source.code.sites import Site, What
from freeloop.source.code.terms import ATTRIBUTE, Term


def may_be_loaded(sites: Iterable[Site], base: Term, name: str) -> bool:
    """Tell whether a relation of the row in a variable may be there by now.

    Args:
        sites: What happened before, in this function.
        base: Name of the variable, or what is read of it.
        name: Of the relation.
    """
    while type(base) is tuple and base[0] == ATTRIBUTE:
        base = base[1]
    if type(base) is not str:
        return False
    calls = (site for site in sites if site.what is What.CALL and site.call is not None)
    return any(_names(site.call, base) and _may_load(site, name) for site in calls)


def _may_load(site: Site, name: str) -> bool:
    """Tell whether what a call runs may load a relation of the row that it is given."""
    target = site.target
    in_thread = isinstance(target, Offload) or (
        isinstance(target, Ext) and target.name in IN_THREAD
    )
    kinds = [target, *site.arguments, *site.keywords.values()]
    functions = [func for kind in kinds for func in _functions(kind)]
    if any(name.encode() in func.packed for func in functions):
        return True
    # Something runs in a thread that is not read, and is no method of a row itself.
    return in_thread and not functions and not any(map(_is_of_row, kinds))


def _functions(kind: Kind | None) -> Iterator[Func]:
    match kind:
        case FuncRef():
            yield kind.func
        case Offload() if kind.inner is not None:
            yield from _functions(kind.inner)
        case Coroutine() if isinstance(kind.of, FuncRef):
            yield kind.of.func
        case _:
            return


def _is_of_row(kind: Kind | None) -> bool:
    """Tell whether a kind is one of Django's own methods of a row, which load no relation."""
    inner = kind.inner if isinstance(kind, Offload) else kind
    return isinstance(inner, ExtMethod) and isinstance(inner.owner, Inst)


def _names(term: Term, name: str) -> bool:
    if type(term) is tuple:
        return any(_names(each, name) for each in term)
    return bool(term == name)
