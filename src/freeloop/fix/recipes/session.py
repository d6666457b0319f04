"""`request.session.get(...)` in an async view becomes `(await request.session.aget(...))`.

The twins are those of the session's base class in the installed Django.
"""

from __future__ import annotations

import ast

from freeloop.fix import twins
from freeloop.fix.change import Change, Refused, awaited
from freeloop.fix.django_request import doubt_of_request
from freeloop.fix.plain_settings import doubt_of_settings
from freeloop.fix.recipe import Draft, Recipe, Spot, first_of, must_allow_await
from freeloop.fix.recipes.library import is_django_session
from freeloop.source.code.attributes import SESSION
from freeloop.source.code.kinds import ExtInst, ExtMethod
from freeloop.source.code.sites import Site, Use, What


def draft(spot: Spot) -> Draft | None:
    """Return the rewrite of every call of that method on the line."""
    method = spot.finding.subject.removeprefix(f"{SESSION}.")
    sites = [site for site in spot.sites if _calls(site, method)]
    if not sites or not spot.func.is_async:
        return None
    twin = twins.twin(twins.SESSION, method)
    if not twin:
        raise Refused(f"a session of this Django has no async twin of {method}")
    changes: list[Change] = []
    doubts: list[str] = []
    for site in sites:
        call = spot.call(site)
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if not isinstance(owner, ast.Attribute) or owner.attr != "session":
            doubts.append("what the session is was only read")
        else:
            doubts.append(doubt_of_request(spot, owner.value))
        doubts += must_allow_await(spot, call, site)
        doubts.append(doubt_of_settings(spot.graph))
        if not is_django_session(spot.graph):
            doubts.append("the session's store is not Django's own")
        changes.append(awaited(spot.source, call, twin))
    return Draft("", tuple(changes), first_of(doubts))


def _calls(site: Site, method: str) -> bool:
    target = site.target
    return (
        site.what is What.CALL
        and isinstance(target, ExtMethod)
        and target.owner == ExtInst(SESSION)
        and target.name == method
        and site.use is not Use.AWAITED
    )


RECIPE = Recipe(frozenset({"FL101", "FL111"}), draft, of_django=True)
