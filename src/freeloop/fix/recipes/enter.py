"""`async_to_sync(f)(...)` and `asyncio.run(f(...))` in an async function become `await f(...)`.

Both always raise there, so that nothing is lost; `f` must be an async function beyond doubt.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from freeloop.fix.change import Change, Made, Refused, needs_parentheses
from freeloop.fix.edit import Piece
from freeloop.fix.recipe import Draft, Recipe, Spot, first_of, must_allow_await
from freeloop.fix.source import Source
from freeloop.source.code.kinds import Enter, Ext, FuncRef
from freeloop.source.code.sites import Site, What

RUNNERS = frozenset({"asyncio.run", "asyncio.runners.run"})


def draft(spot: Spot) -> Draft | None:
    """Return the rewrite of every such call on the line."""
    sites = [site for site in spot.sites if _enters(spot, site)]
    if not sites or not spot.func.is_async:
        return None
    changes: list[Change] = []
    doubts: list[str] = []
    for site in sites:
        call = spot.call(site)
        runs = isinstance(site.target, Ext)
        inner = call if runs else call.func
        if not isinstance(inner, ast.Call) or len(inner.args) != 1 or inner.keywords:
            raise Refused("the async function was wrapped elsewhere")
        made = inner.args[0]
        function = made.func if runs and isinstance(made, ast.Call) else made
        if runs and function is made:
            raise Refused("the coroutine was made elsewhere")
        if spot.source.has_comment(spot.source.start(call), spot.source.end(call)):
            raise Refused("a comment might be lost")
        doubts += must_allow_await(spot, call, site)
        doubts += [spot.proof.doubt(inner.func), _doubt(spot, function)]
        make = _run(spot.source, call, made) if runs else _entered(spot.source, call, inner, made)
        changes.append(make)
    return Draft("await the async function itself", tuple(changes), first_of(doubts))


def _enters(spot: Spot, site: Site) -> bool:
    if site.what is not What.CALL or site.line != spot.finding.line:
        return False
    if isinstance(site.target, Enter):
        return spot.finding.subject == "asgiref.sync.async_to_sync"
    runs = isinstance(site.target, Ext) and site.target.name in RUNNERS
    return runs and spot.finding.subject == "asyncio.run"


def _doubt(spot: Spot, function: ast.expr) -> str:
    kind = spot.proof.kind(function)
    if not isinstance(kind, FuncRef) or not kind.func.is_async or kind.func.yields:
        return "what is run was only read"
    if kind.func.decorators:
        return f"{kind.func.last_name} has a decorator"
    owner = function.value if isinstance(function, ast.Attribute) else function
    return spot.proof.doubt_of_method(kind, owner)


def _run(source: Source, call: ast.Call, made: ast.expr) -> Change:
    """Return the change of `asyncio.run(f())` to `await f()`."""
    before, after = (source.start(call), source.start(made)), (source.end(made), source.end(call))

    def do(node: ast.AST) -> Made:
        assert isinstance(node, ast.Call)
        return ast.Await(node.args[0])

    def undo(node: ast.AST) -> Made:
        assert isinstance(node, ast.Await)
        return ast.Call(call.func, [node.value], [])

    return _change(source, call, before, after, do, undo)


def _entered(source: Source, call: ast.Call, inner: ast.Call, made: ast.expr) -> Change:
    """Return the change of `async_to_sync(f)()` to `await f()`."""
    before, after = (source.start(call), source.start(made)), (source.end(made), source.end(inner))

    def do(node: ast.AST) -> Made:
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Call)
        node.func = node.func.args[0]
        return ast.Await(node)

    def undo(node: ast.AST) -> Made:
        assert isinstance(node, ast.Await)
        assert isinstance(node.value, ast.Call)
        node.value.func = ast.Call(inner.func, [node.value.func], [])
        return node.value

    return _change(source, call, before, after, do, undo)


def _change(
    source: Source,
    call: ast.Call,
    before: tuple[int, int],
    after: tuple[int, int],
    do: Callable[[ast.AST], Made],
    undo: Callable[[ast.AST], Made],
) -> Change:
    """Return the change that leaves out what stands before and after the function."""
    opened, closed = ("(", ")") if needs_parentheses(source, call) else ("", "")
    end = source.end(call)
    pieces = [Piece(*before, f"{opened}await "), Piece(*after, closed if after[1] == end else "")]
    if closed and after[1] != end:
        pieces.append(Piece(end, end, closed))
    return Change(source, call, tuple(pieces), do, undo)


RECIPE = Recipe(frozenset({"FL201"}), draft)
