"""`queryset.get(...)` in an async function becomes `await queryset.aget(...)`.

Also the methods of managers, of related managers and of model instances. The twin is looked up in
the source of the installed Django, and must have the same parameters; Django's twins call the
sync method in the request's thread, so that they give the same rows.
"""

from __future__ import annotations

import ast

from freeloop.fix import twins
from freeloop.fix.change import Change, Refused, awaited
from freeloop.fix.recipe import Draft, Recipe, Spot, first_of, must_allow_await
from freeloop.source.code.kinds import ExtMethod, Inst, Manager, QuerySet
from freeloop.source.code.sites import Site, Use, What


def draft(spot: Spot) -> Draft | None:
    """Return the rewrite of every query of that name on the line."""
    method = spot.finding.subject.rpartition(".")[2]
    sites = [site for site in spot.sites if _is_orm(spot, site, method)]
    if not sites or not spot.func.is_async:
        return None
    changes: list[Change] = []
    doubts: list[str] = []
    for site in sites:
        call = spot.call(site)
        if not isinstance(call.func, ast.Attribute):
            raise Refused(f"{method} is not called as a method")
        owner = call.func.value
        twin = _twin(site, method)
        if not twin:
            raise Refused(f"this Django has no async twin of {method} with the same parameters")
        doubts += must_allow_await(spot, call, site)
        doubts.append(spot.proof.doubt(owner))
        doubts.append(spot.proof.doubt_of_rows(owner, twin, *_own(site, method)))
        changes.append(awaited(spot.source, call, twin))
    return Draft("", tuple(changes), first_of(doubts))


def _is_orm(spot: Spot, site: Site, method: str) -> bool:
    target = site.target
    if site.what is not What.CALL or not isinstance(target, ExtMethod) or target.name != method:
        return False
    if site.use is Use.AWAITED:
        return False
    owner = target.owner
    if isinstance(owner, Inst):
        resolver = spot.graph.program.resolver
        return resolver.is_model(owner.cls) or resolver.is_manager(owner.cls)
    return isinstance(owner, QuerySet | Manager)


def _twin(site: Site, method: str) -> str:
    owner = site.target.owner if isinstance(site.target, ExtMethod) else None
    match owner:
        case QuerySet():
            return twins.twin(twins.QUERYSET, method)
        case Manager():
            # A manager passes on what a queryset has; add, set and their like are of related ones.
            found = twins.twin(twins.QUERYSET, method)
            related = twins.twin(twins.MANY_RELATED, method), twins.twin(twins.RELATED, method)
            return found or (related[0] if all(related) else "")
        case Inst():
            return twins.twin(twins.MODEL, method)
        case _:
            return ""


def _own(site: Site, method: str) -> tuple[str, ...]:
    """Return what Django's class must answer itself; a model's own `save` is called by `asave`."""
    owner = site.target.owner if isinstance(site.target, ExtMethod) else None
    return () if isinstance(owner, Inst) else (method,)


RECIPE = Recipe(frozenset({"FL111"}), draft, of_django=True)
