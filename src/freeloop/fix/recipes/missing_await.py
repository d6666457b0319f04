"""A coroutine that is made and dropped is awaited where it is made.

Safe when what is called is an async function beyond doubt: the project's own without a decorator,
an async twin of Django's, a coroutine function of asyncio, what `sync_to_async` gave.
"""

from __future__ import annotations

import ast

from freeloop.fix import twins
from freeloop.fix.change import Change, awaited
from freeloop.fix.recipe import Draft, Recipe, Spot, first_of, must_allow_await
from freeloop.source.code.kinds import Coroutine, Ext, ExtMethod, FuncRef, Inst, Offload
from freeloop.source.code.sites import Site, Use, What


def draft(spot: Spot) -> Draft | None:
    """Return the await of every dropped coroutine on the line."""
    sites = [site for site in spot.sites if _dropped(site) and site.line == spot.finding.line]
    if not sites or not spot.func.is_async:
        return None
    changes: list[Change] = []
    doubts: list[str] = []
    for site in sites:
        call = spot.call(site)
        doubts += must_allow_await(spot, call, site)
        doubts.append(_doubt(spot, site, call))
        changes.append(awaited(spot.source, call))
    return Draft("", tuple(changes), first_of(doubts))


def _dropped(site: Site) -> bool:
    made = site.result
    return (
        site.what is What.CALL
        and site.use is Use.STATEMENT
        and isinstance(made, Coroutine)
        and not made.task
    )


def _doubt(spot: Spot, site: Site, call: ast.Call) -> str:
    target, proof = site.target, spot.proof
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    match target:
        case FuncRef():
            if target.func.decorators:
                return f"{target.func.last_name} has a decorator"
            return proof.doubt_of_method(target, owner)
        case ExtMethod():
            # Django's twins are looked up; of other libraries nothing is known for certain.
            where = twins.MODEL if isinstance(target.owner, Inst) else twins.QUERYSET
            if not twins.has_coroutine(where, target.name):
                return f"{target.name} is not an async method of Django's"
            return proof.doubt(owner) or proof.doubt_of_rows(owner, target.name)
        case Ext():
            if not _is_coroutine_function(target.name):
                return f"{target.name} may start its work without an await"
            return proof.doubt(owner)
        case Offload():
            return proof.doubt_of_offload(call.func)
        case _:
            return "what is called was only read"


def _is_coroutine_function(name: str) -> bool:
    """Tell whether a function of asyncio is async in the Python that freeloop runs on."""
    import asyncio  # 40 ms, and of use for a dropped coroutine alone
    import inspect

    return inspect.iscoroutinefunction(getattr(asyncio, name.removeprefix("asyncio."), None))


RECIPE = Recipe(frozenset({"FL501"}), draft)
