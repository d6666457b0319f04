"""`time.sleep(x)` in an async function becomes `await asyncio.sleep(x)`.

Both return None and wait as long. They differ for a negative number, which `time.sleep` refuses.
"""

from __future__ import annotations

import ast

from freeloop.fix.change import Change, Refused, awaited
from freeloop.fix.imports import module_name
from freeloop.fix.recipe import Draft, Recipe, Spot, first_of, must_allow_await
from freeloop.source.code.kinds import Ext
from freeloop.source.code.sites import Site, What

# Other event loops, whose tasks asyncio.sleep does not suspend.
OTHER_LOOPS = frozenset({"trio", "curio"})


def draft(spot: Spot) -> Draft | None:
    """Return the rewrite of every `time.sleep` on the line."""
    sites = [site for site in spot.sites if _sleeps(site)]
    if spot.finding.subject != "time.sleep" or not sites or not spot.func.is_async:
        return None
    changes: list[Change] = []
    doubts: list[str] = []
    for site in sites:
        call = spot.call(site)
        if len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Starred):
            raise Refused("time.sleep takes one argument, and here it is not plain")
        doubts += must_allow_await(spot, call, site)
        doubts.append(spot.proof.doubt(call.func))
        name, imports = module_name(spot.source, call, "asyncio")
        changes += [awaited(spot.source, call, f"{name}.sleep"), *imports]
    if not OTHER_LOOPS.isdisjoint(each.partition(".")[0] for each in _imported(spot)):
        doubts.append("the file imports another event loop than asyncio")
    return Draft("await asyncio.sleep(...)", tuple(changes), first_of(doubts))


def _sleeps(site: Site) -> bool:
    return site.what is What.CALL and site.target == Ext("time.sleep")


def _imported(spot: Spot) -> list[str]:
    return list(spot.func.module.imports.values())


RECIPE = Recipe(frozenset({"FL101"}), draft)
