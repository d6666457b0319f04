"""A sync helper that has an async twin beside it: its async callers await the twin.

`price()` becomes `await price_async()`, `self.load()` becomes `await self.aload()`. Every async
function on the loop that calls the helper is edited. Safe when the twin is the helper with awaits:
same parameters, and the same body once the awaits are taken out; else the edit is not certain.
"""

from __future__ import annotations

import ast
import dataclasses

from freeloop.fix.change import Change, Refused, awaited
from freeloop.fix.imports import twin_import
from freeloop.fix.names import How, bindings
from freeloop.fix.recipe import Draft, Recipe, Spot, first_of, must_allow_await
from freeloop.fix.same_work import parameters, same_work
from freeloop.fix.source import Source
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import FuncRef
from freeloop.source.code.sites import Site, Use


def draft(spot: Spot) -> Draft | None:
    """Return the rewrite of the calls of a helper that has a twin."""
    found = _helper(spot)
    if found is None:
        return None
    helper, twin = found
    if helper.yields or twin.yields:
        raise Refused(f"{helper.last_name} is a generator")
    doubts = _of_pair(spot, helper, twin)
    changes: list[Change] = []
    for site in spot.graph.loop_calls:
        target = site.target
        if not isinstance(target, FuncRef) or target.func is not helper or not site.func.is_async:
            continue
        if site.use is Use.AWAITED:
            continue
        there = dataclasses.replace(spot, func=site.func, sites=(site,))
        doubts += _of_call(there, site, target)
        changes += _changes(there, site, helper, twin)
    sentence = f"await {twin.last_name}(...) for {helper.last_name}(...)"
    return Draft(sentence, tuple(changes), first_of(doubts)) if changes else None


def _helper(spot: Spot) -> tuple[Func, Func] | None:
    """Return the first function on the way that async code calls and that has a twin."""
    for call in spot.graph.way_to(spot.func).calls:
        if call.caller.is_async and not call.callee.is_async:
            twin = spot.graph.own_twin(call.callee)
            return (call.callee, twin) if twin is not None else None
    return None


def _of_pair(spot: Spot, helper: Func, twin: Func) -> list[str]:
    """Return doubts that the twin does the helper's work."""
    sync = _node(spot.open(helper.module.file.path), helper)
    made = _node(spot.open(twin.module.file.path), twin)
    if parameters(sync) != parameters(made):
        raise Refused(f"{twin.last_name} has other parameters than {helper.last_name}")
    if [ast.dump(each) for each in sync.decorator_list] != [
        ast.dump(each) for each in made.decorator_list
    ]:
        return [f"{twin.last_name} has other decorators than {helper.last_name}"]
    if not same_work(sync, made):
        return [f"that {twin.last_name} does the same as {helper.last_name} was not proved"]
    return []


def _node(source: Source, func: Func) -> ast.FunctionDef | ast.AsyncFunctionDef:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno == func.line:
            return node
    raise Refused(f"{func.last_name} was not found in the text")


def _of_call(there: Spot, site: Site, target: FuncRef) -> list[str]:
    call = there.call(site)
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    return [*must_allow_await(there, call, site), there.proof.doubt_of_method(target, owner)]


def _changes(there: Spot, site: Site, helper: Func, twin: Func) -> list[Change]:
    call, name = there.call(site), twin.last_name
    if isinstance(call.func, ast.Attribute):
        if call.func.attr != helper.last_name:
            raise Refused(f"{helper.last_name} is called by another name")
        return [awaited(there.source, call, name)]
    assert isinstance(call.func, ast.Name)
    found = bindings(there.source, call.func.id, call)
    if len(found) == 1 and found[0].how is How.DEFINED and call.func.id == helper.last_name:
        beside = bindings(there.source, name, call)
        if len(beside) != 1 or beside[0].how is not How.DEFINED:
            raise Refused(f"the name {name} means something else here")
        return [awaited(there.source, call, name)]
    return [*twin_import(there.source, call.func, name), awaited(there.source, call, name)]


RECIPE = Recipe(frozenset({"FL101", "FL102", "FL103", "FL111"}), draft)
