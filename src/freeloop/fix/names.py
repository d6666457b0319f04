"""What a name is bound to, told from the tree alone: once, and by what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from freeloop.fix.source import Source

type Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class How(StrEnum):
    """How a name gets its value. OTHER: in a way that tells nothing of it."""

    IMPORT = "import"
    DEFINED = "defined"
    ASSIGNED = "assigned"
    ITEM = "item"
    PARAMETER = "parameter"
    OTHER = "other"


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """One place that gives a name its value.

    Attributes:
        how: In which way.
        node: The statement, argument or comprehension that does it.
        value: What is assigned, or iterated over; None for the others.
        scope: Where the name lives.
    """

    how: How
    node: ast.AST
    value: ast.expr | None
    scope: Scope


def bindings(source: Source, name: str, at: ast.AST) -> list[Binding]:
    """Return every place that binds a name as a node sees it; none for a builtin."""
    for inner, outer in source.around(at):
        if isinstance(outer, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            for each in outer.generators:
                if name in set(_names(each.target)) and not (
                    inner is each and outer.generators[0] is each and _in_iterable(source, at, each)
                ):
                    whole = isinstance(each.target, ast.Name)
                    how = How.ITEM if whole else How.OTHER
                    return [Binding(how, each, each.iter, scope_of(source, outer))]
        if isinstance(outer, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if isinstance(outer, FUNCTIONS) and inner not in outer.body:
                continue  # a default or decorator sees what is around the function
            found = [each for each in bound_in(outer) if each[0] == name]
            if found:
                return [Binding(how, node, value, outer) for _, how, node, value in found]
    return []


def scope_of(source: Source, node: ast.AST) -> Scope:
    """Return the function, lambda or module that a node is evaluated in."""
    for _, outer in source.around(node):
        if isinstance(outer, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return outer
    return source.tree


@lru_cache(maxsize=32)  # asked for each name that an edit touches
def bound_in(scope: Scope) -> list[tuple[str, How, ast.AST, ast.expr | None]]:
    """Return name, way, place and value of all that a scope binds.

    A name that an inner function declares `nonlocal` or `global` is bound there in an unknown way.
    """
    found: list[tuple[str, How, ast.AST, ast.expr | None]] = []
    if not isinstance(scope, ast.Module):
        every = scope.args
        given = [*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg]
        found += [(each.arg, How.PARAMETER, each, None) for each in given if each is not None]
    body = [scope.body] if isinstance(scope, ast.Lambda) else scope.body
    for statement in body:
        found += _bound(statement)
        for node in ast.walk(statement):
            if isinstance(node, ast.Global | ast.Nonlocal):
                found += [(name, How.OTHER, node, None) for name in node.names]
    return found


def used_names(node: ast.AST) -> set[str]:
    """Return every name that stands anywhere in a node, bound or read."""
    found: set[str] = set()
    for each in ast.walk(node):
        match each:
            case ast.Name():
                found.add(each.id)
            case ast.arg():
                found.add(each.arg)
            case ast.alias():
                found.add((each.asname or each.name).partition(".")[0])
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(each.name)
            case ast.Global() | ast.Nonlocal():
                found.update(each.names)
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
                found.add(each.name or "")
            case _:
                pass
    return found


# One case for each kind of statement that binds a name.
def _bound(  # noqa: C901
    node: ast.AST,
) -> Iterator[tuple[str, How, ast.AST, ast.expr | None]]:
    """Yield what a statement binds in its own scope."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name, How.DEFINED, node, None
            return  # the inside is another scope
        case ast.Lambda():
            return
        case ast.Import() | ast.ImportFrom():
            for alias in node.names:
                here = alias.asname or alias.name.partition(".")[0]
                yield here, How.IMPORT, node, None
        case ast.Assign():
            for target in node.targets:
                for name in _names(target):
                    plain = isinstance(target, ast.Name)
                    yield name, How.ASSIGNED if plain else How.OTHER, node, node.value
        case ast.AnnAssign() if isinstance(node.target, ast.Name):
            how = How.ASSIGNED if node.value is not None else How.OTHER
            yield node.target.id, how, node, node.value
        case ast.NamedExpr():
            yield node.target.id, How.ASSIGNED, node, node.value
        case ast.For() | ast.AsyncFor():
            for name in _names(node.target):
                plain = isinstance(node.target, ast.Name)
                yield name, How.ITEM if plain else How.OTHER, node, node.iter
        case ast.comprehension():
            pass  # its target lives in the comprehension alone
        case ast.Name() if not isinstance(node.ctx, ast.Load):
            # Bound by a statement that is none of those above: with, del, augmented.
            yield node.id, How.OTHER, node, None
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() if node.name:
            yield node.name, How.OTHER, node, None
        case ast.MatchMapping() if node.rest:
            yield node.rest, How.OTHER, node, None
        case _:
            pass
    for field, value in ast.iter_fields(node):
        if field in ("targets", "target") and isinstance(
            node,
            ast.Assign | ast.AnnAssign | ast.For | ast.AsyncFor | ast.comprehension | ast.NamedExpr,
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _bound(child)


def _names(target: ast.expr) -> Iterator[str]:
    for each in ast.walk(target):
        if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load):
            yield each.id


def _in_iterable(source: Source, at: ast.AST, each: ast.comprehension) -> bool:
    """Tell whether a node lies in what a comprehension goes over, seen from around it."""
    return at is each.iter or any(outer is each.iter for _, outer in source.around(at))
