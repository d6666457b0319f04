"""Whether the result of one await can feed the next: by the names in the source of the function.

An estimate: what the calls do to the world outside of the function nobody can read off its names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import lru_cache

from freeloop.model.trace import Trace

type _Function = ast.FunctionDef | ast.AsyncFunctionDef


def may_be_independent(trace: Trace, first: tuple[int, str], second: tuple[int, str]) -> bool:
    """Whether two awaits lie in one function and no name leads from the first to the second.

    Args:
        trace: With the sources of the project's files.
        first: Place and text of the earlier await.
        second: Of the later one.

    Returns:
        False where the source is not known, where one is awaited for its effect alone (order may
        matter: a save, a commit), where one is part of an `async with` or `async for`, and in a
        generator, whose caller wants one item after the other.
    """
    here, there = trace.places[first[0]], trace.places[second[0]]
    if (here.path, here.function) != (there.path, there.function):
        return False
    function = _function(trace.sources.get(here.path, ""), here.line)
    if function is None or _gives_between(function):
        return False
    one, two = _statement(function, here.line), _statement(function, there.line)
    if one is None or two is None or not (_is_plain(one) and _is_plain(two)):
        return False
    if not all(_has_value(each, text) for each, text in ((one, first[1]), (two, second[1]))):
        return False
    if one is two:
        return _iterations_are_independent(function, one)
    return one.lineno < two.lineno and not _reaches(function, one, two)


@lru_cache(maxsize=64)
def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except SyntaxError:
        return None


def _function(source: str, line: int) -> _Function | None:
    """Return the innermost function around a line."""
    tree = _parsed(source) if source else None
    found = [
        node
        for node in (ast.walk(tree) if tree else ())
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _covers(node, line)
    ]
    return max(found, key=lambda node: node.lineno, default=None)


def _gives_between(function: _Function) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def _statement(function: _Function, line: int) -> ast.stmt | None:
    """Return the innermost statement of a function that covers a line."""
    found = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.stmt) and node is not function and _covers(node, line)
    ]
    return min(found, key=lambda node: (node.end_lineno or 0) - node.lineno, default=None)


def _covers(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _is_plain(statement: ast.stmt) -> bool:
    kinds = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr | ast.Return
    return isinstance(statement, kinds) and any(
        isinstance(node, ast.Await) for node in ast.walk(statement)
    )


def _has_value(statement: ast.stmt, text: str) -> bool:
    """Whether it is awaited for its result; a sleep has no effect whose order could matter."""
    bare = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Await)
    return not bare or text == "asyncio.sleep"


def _iterations_are_independent(function: _Function, statement: ast.stmt) -> bool:
    """Whether one statement was awaited again, in a loop, without using what it gave before."""
    loops = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.For) and statement in ast.walk(node)
    ]
    if not loops:
        # Two awaits in one statement, or a loop inside of an expression: nothing is told apart.
        return _awaits_in(statement) == 1 and _in_comprehension(statement)
    return not (_stored(statement) - _stored(loops[-1].target)) & _needed(statement)


def _awaits_in(statement: ast.stmt) -> int:
    return sum(isinstance(node, ast.Await) for node in ast.walk(statement))


def _in_comprehension(statement: ast.stmt) -> bool:
    kinds = ast.ListComp | ast.SetComp | ast.DictComp
    return any(
        isinstance(node, kinds) and any(isinstance(part, ast.Await) for part in ast.walk(node))
        for node in ast.walk(statement)
    )


def _reaches(function: _Function, first: ast.stmt, second: ast.stmt) -> bool:
    """Whether a name that the first statement binds leads, over others, into the second."""
    fed = _stored(first)
    for node in _between(function, first, second):
        if isinstance(node, ast.If | ast.While) and _loaded(node.test) & fed:
            return True  # whether, or what, comes next is decided by the result
        if isinstance(node, ast.Return | ast.Raise):
            return True
        if not isinstance(node, ast.If | ast.While | ast.Try) and _loaded(node) & fed:
            fed |= _stored(node)
    return bool(fed & _needed(second))


def _between(function: _Function, first: ast.stmt, second: ast.stmt) -> Iterator[ast.stmt]:
    """Return the statements from after the first to before the second, in order of their lines."""
    nodes: Sequence[ast.stmt] = [node for node in ast.walk(function) if isinstance(node, ast.stmt)]
    for node in sorted(nodes, key=lambda each: each.lineno):
        if first.lineno < node.lineno < second.lineno and node is not second:
            yield node


def _needed(statement: ast.stmt) -> set[str]:
    """Return the names that must be known before what a statement awaits can begin."""
    if any(isinstance(node, ast.BoolOp | ast.IfExp) for node in ast.walk(statement)):
        return _loaded(statement)  # whether it begins at all may depend on any of them
    awaits = [node for node in ast.walk(statement) if isinstance(node, ast.Await)]
    return {name for each in awaits for name in _loaded(each)}


def _stored(node: ast.AST) -> set[str]:
    """Return the names that a piece of code binds or changes."""
    found = {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    for target in targets:
        if isinstance(target, ast.Attribute | ast.Subscript):
            found |= _loaded(target)
    return found


def _loaded(node: ast.AST) -> set[str]:
    """Return the names that a piece of code uses."""
    return {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    }
