"""A loop over a queryset becomes an async one: `for`, comprehensions, and `list(queryset)`.

A queryset keeps its rows after `async for` as it does after `for`, so that what follows sees the
same. `list(q)` becomes `[row async for row in q]`; other functions get that list as argument.
"""

from __future__ import annotations

import ast
import tokenize

from freeloop.fix import twins
from freeloop.fix.change import Change, Made, Refused
from freeloop.fix.edit import Piece
from freeloop.fix.names import bindings
from freeloop.fix.recipe import Draft, Recipe, Spot, first_of, must_allow_await
from freeloop.fix.source import Source, term_of
from freeloop.source.code.kinds import QuerySet
from freeloop.source.code.sites import Site, What

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)
DISPLAYS = {"list": ("[", "]", ast.ListComp), "set": ("{", "}", ast.SetComp)}


def draft(spot: Spot) -> Draft | None:
    """Return the rewrite of the loop that the finding is about."""
    sites = [site for site in spot.sites if _takes_rows(spot, site)]
    if not sites or not spot.func.is_async:
        return None
    if not twins.has(twins.QUERYSET, "__aiter__"):
        raise Refused("a queryset of this Django has no async iteration")
    changes: list[Change] = []
    doubts: list[str] = []
    for site in sites:
        iterable, change = _change(spot, site)
        if _is_iterator(spot, iterable):
            raise Refused("iterator() gives no queryset; its twin is aiterator()")
        doubts += must_allow_await(spot, change.node, site)
        doubts.append(spot.proof.doubt(iterable))
        doubts.append(spot.proof.doubt_of_rows(iterable))
        changes.append(change)
    return Draft("", tuple(changes), first_of(doubts))


def _takes_rows(spot: Spot, site: Site) -> bool:
    """Tell whether a site takes rows of the finding's model: one finding speaks for its line."""
    first = next((each for each in spot.sites if _is_at(spot, each)), None)
    return (
        first is not None
        and site.what is What.ITERATE
        and site.line == spot.finding.line
        and isinstance(site.target, QuerySet)
        and isinstance(first.target, QuerySet)
        and site.target.model == first.target.model
    )


def _is_at(spot: Spot, site: Site) -> bool:
    return site.what is What.ITERATE and site.column == spot.finding.column


def _change(spot: Spot, site: Site) -> tuple[ast.expr, Change]:
    """Return what is iterated over, and the change."""
    source = spot.source
    for node in source.at(site.line, site.column):
        if isinstance(node, ast.For) and term_of(node.iter) == site.term:
            return node.iter, _async_for(source, node)
        if isinstance(node, COMPREHENSIONS):
            for each in node.generators:
                if term_of(each.iter) == site.term:
                    return each.iter, _async_comprehension(source, node, each)
        if isinstance(node, ast.Call):
            for argument in node.args:
                if term_of(argument) == site.term:
                    return argument, _async_argument(spot, node, argument)
    raise Refused("only loops, comprehensions and functions that take all rows are rewritten")


def _async_for(source: Source, node: ast.For) -> Change:
    start = source.start(node)

    def do(node: ast.AST) -> Made:
        return ast.AsyncFor(**{name: getattr(node, name) for name in ast.For._fields})

    def undo(node: ast.AST) -> Made:
        return ast.For(**{name: getattr(node, name) for name in ast.For._fields})

    return Change(source, node, (Piece(start, start, "async "),), do, undo)


def _async_comprehension(source: Source, whole: ast.expr, node: ast.comprehension) -> Change:
    target = source.start(node.target)
    word = max(
        token.start
        for token in source.tokens
        if token.kind == tokenize.NAME and token.text == "for" and token.start < target
    )
    index = getattr(whole, "generators", []).index(node)

    def turned(is_async: int, node: ast.AST) -> Made:
        node.generators[index].is_async = is_async  # type: ignore[attr-defined] # checked above
        return node

    return Change(
        source,
        whole,
        (Piece(word, word, "async "),),
        lambda node: turned(1, node),
        lambda node: turned(0, node),
    )


def _async_argument(spot: Spot, call: ast.Call, argument: ast.expr) -> Change:
    source = spot.source
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if not name or bindings(source, name, call) or spot.func.module.stars:
        raise Refused(f"{name or 'what is called'} may not be the builtin function")
    begin, end, kind = DISPLAYS.get(name, DISPLAYS["list"])
    whole = name in DISPLAYS and len(call.args) == 1 and not call.keywords
    outer = call if whole else argument
    before = (source.start(outer), source.start(argument))
    after = (source.end(argument), source.end(outer))
    if not whole:
        begin, end, kind = DISPLAYS["list"]
    if source.has_comment(*before) or source.has_comment(*after):
        raise Refused("a comment would be lost")

    def do(node: ast.AST) -> Made:
        rows = node.args[0] if whole and isinstance(node, ast.Call) else node
        assert isinstance(rows, ast.expr)
        part = ast.comprehension(ast.Name("row", ast.Store()), rows, [], 1)
        return kind(ast.Name("row", ast.Load()), [part])

    def undo(node: ast.AST) -> Made:
        assert isinstance(node, ast.ListComp | ast.SetComp)
        rows = node.generators[0].iter
        return ast.Call(ast.Name(name, ast.Load()), [rows], []) if whole else rows

    pieces = (Piece(*before, f"{begin}row async for row in "), Piece(*after, end))
    return Change(source, outer, pieces, do, undo)


def _is_iterator(spot: Spot, node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        binding = spot.proof.only_binding(node.id, node)
        return (
            binding is not None
            and binding.value is not None
            and (_is_iterator(spot, binding.value))
        )
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("iterator", "aiterator")
    )


RECIPE = Recipe(frozenset({"FL111"}), draft, of_django=True)
