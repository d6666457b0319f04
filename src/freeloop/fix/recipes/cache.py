"""`cache.get(...)` in an async function becomes `await cache.aget(...)`.

Of Django's own backends, whose twins are those of the base class in the installed Django.
"""

from __future__ import annotations

import ast

from freeloop.fix import twins
from freeloop.fix.change import Change, Refused, awaited
from freeloop.fix.names import How
from freeloop.fix.plain_settings import cache_backend, doubt_of_settings
from freeloop.fix.recipe import Draft, Recipe, Spot, first_of, must_allow_await
from freeloop.source.code.kinds import Ext, ExtMethod
from freeloop.source.code.sites import Site, Use, What

CACHE = "django.core.cache."
SUBJECT = "django.core.cache.cache."


def draft(spot: Spot) -> Draft | None:
    """Return the rewrite of every call of that method on the line."""
    method = spot.finding.subject.removeprefix(SUBJECT)
    sites = [site for site in spot.sites if _calls(site, method)]
    if not spot.finding.subject.startswith(SUBJECT) or not sites or not spot.func.is_async:
        return None
    twin = twins.twin(twins.CACHE, method)
    if not twin:
        raise Refused(f"a cache of this Django has no async twin of {method}")
    changes: list[Change] = []
    doubts = [doubt_of_settings(spot.graph)]
    if not cache_backend(spot.graph).startswith("django.core.cache.backends."):
        doubts.append("the cache's backend is not Django's own")
    for site in sites:
        call = spot.call(site)
        doubts += must_allow_await(spot, call, site)
        doubts.append(_doubt_of_cache(spot, call))
        changes.append(awaited(spot.source, call, twin))
    return Draft("", tuple(changes), first_of(doubts))


def _doubt_of_cache(spot: Spot, call: ast.Call) -> str:
    """Return why a call may not be one of the default cache."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if not isinstance(owner, ast.Name):
        return "which cache it is was only read"
    binding = spot.proof.only_binding(owner.id, owner)
    if binding is None or binding.how is not How.IMPORT:
        return f"{owner.id} is not one import"
    return "" if spot.proof.kind(owner) == Ext(f"{CACHE}cache") else f"{owner.id} is another cache"


def _calls(site: Site, method: str) -> bool:
    target = site.target
    if site.what is not What.CALL or site.use is Use.AWAITED:
        return False
    if isinstance(target, ExtMethod):
        return target.name == method and any(each.startswith(CACHE) for each in target.classes)
    return (
        isinstance(target, Ext)
        and target.name.startswith(CACHE)
        and target.name.rpartition(".")[2] == method
    )


RECIPE = Recipe(frozenset({"FL101", "FL102", "FL111"}), draft, of_django=True)
