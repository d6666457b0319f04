"""Whether an async function is a sync one with awaits: the same code once they are taken out.

The inverse of the rewrites of this package: `await q.aget()` is read as `q.get()`, `async for` as
`for`, `asyncio.sleep` as `time.sleep`, the twin's own name as the helper's. An await of anything
else has no sync counterpart that is known, and the two differ.
"""

from __future__ import annotations

import ast
import copy

from freeloop.source.code.orm import INSTANCE_RUNS, RUNS, SHORTCUTS

# Twins whose sync one is known; a name alone proves nothing of another.
METHODS = {f"a{name}": name for name in RUNS | INSTANCE_RUNS}
SHORTCUT_TWINS = {
    twin.rpartition(".")[2]: name.rpartition(".")[2] for name, twin in SHORTCUTS.items()
}

type Function = ast.FunctionDef | ast.AsyncFunctionDef


def parameters(node: Function) -> str:
    """Return what is compared of the parameters: all but their annotations."""
    args = copy.deepcopy(node.args)
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    for each in every:
        if each is not None:
            each.annotation = None
    return ast.dump(args)


def same_work(sync: Function, made: Function) -> bool:
    """Tell whether a function and its async twin do the same, step by step.

    Args:
        sync: The sync function.
        made: Its twin.
    """
    return _body(sync, sync.name, made.name) == _body(made, sync.name, made.name)


def _body(node: Function, sync: str, made: str) -> list[str]:
    body = copy.deepcopy(node.body)
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        del body[0]
    synchronous = _Synchronous({made: sync})
    return [ast.dump(synchronous.visit(statement)) for statement in body]


class WithoutAsync(ast.NodeTransformer):
    """Makes async functions, loops, blocks and comprehensions sync ones; awaits stay."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Return a `def` for an `async def`."""
        self.generic_visit(node)
        return ast.FunctionDef(**{name: getattr(node, name) for name in node._fields})

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """Return a `for` for an `async for`."""
        self.generic_visit(node)
        return ast.For(**{name: getattr(node, name) for name in node._fields})

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        """Return a `with` for an `async with`."""
        self.generic_visit(node)
        return ast.With(**{name: getattr(node, name) for name in node._fields})

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        """Return a sync part for an async one."""
        self.generic_visit(node)
        node.is_async = 0
        return node


class _Synchronous(WithoutAsync):
    """Takes out the awaits of known twins too."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        inner = node.value
        if not isinstance(inner, ast.Call):
            return node
        callee = inner.func
        if isinstance(callee, ast.Attribute):
            if ast.unparse(callee) == "asyncio.sleep":
                callee.value = ast.Name("time", ast.Load())
                return inner
            plain = self._names.get(callee.attr) or METHODS.get(callee.attr)
            callee.attr = plain or callee.attr
        else:
            plain = None
            if isinstance(callee, ast.Name):
                plain = self._names.get(callee.id) or SHORTCUT_TWINS.get(callee.id)
                callee.id = plain or callee.id
        # What is awaited and no known twin stays an await, which the sync function has not.
        return inner if plain else node
