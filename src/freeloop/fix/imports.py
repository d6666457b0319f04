"""Imports that an edit needs: one that is there already, or a new line among the others."""

from __future__ import annotations

import ast

from freeloop.fix.change import Change, Made, Refused
from freeloop.fix.edit import Piece
from freeloop.fix.names import How, bindings, bound_in, used_names
from freeloop.fix.source import Source


def module_name(source: Source, at: ast.AST, module: str) -> tuple[str, tuple[Change, ...]]:
    """Return the name that a module of the standard library has at a node, and what imports it.

    Raises:
        Refused: If the name means something else there.
    """
    for statement in source.tree.body:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if alias.name == module:
                    name = alias.asname or module
                    if _is_module(source, name, at, module):
                        return name, ()
    found = bindings(source, module, at)
    if any(each.how is not How.IMPORT for each in found) or _is_hidden(source, module, at):
        raise Refused(f"the name {module} means something else here")
    if found and not _is_module(source, module, at, module):
        raise Refused(f"the name {module} means something else here")
    return module, (new_import(source, f"import {module}"),)


def twin_import(source: Source, at: ast.Name, twin: str) -> tuple[Change, ...]:
    """Return the change that imports a twin from where a name was imported; none if it was.

    Raises:
        Refused: If the name comes from elsewhere, or the twin's name is taken.
    """
    found = bindings(source, at.id, at)
    if len(found) != 1 or not isinstance(found[0].node, ast.ImportFrom):
        raise Refused(f"where {at.id} comes from is not one import")
    statement = found[0].node
    others = bindings(source, twin, at)
    if others:
        if any(
            each.how is not How.IMPORT or not _gives(each.node, statement, twin) for each in others
        ):
            raise Refused(f"the name {twin} means something else here")
        return ()
    if twin in {name for name, *_ in bound_in(source.tree)}:
        raise Refused(f"the name {twin} means something else here")
    index = next(
        number for number, each in enumerate(statement.names) if (each.asname or each.name) == at.id
    )
    start = source.start(statement.names[index])

    def do(node: ast.AST) -> Made:
        assert isinstance(node, ast.ImportFrom)
        node.names.insert(index, ast.alias(twin))
        return node

    def undo(node: ast.AST) -> Made:
        assert isinstance(node, ast.ImportFrom)
        del node.names[index]
        return node

    return (Change(source, statement, (Piece(start, start, f"{twin}, "),), do, undo),)


def new_import(source: Source, line: str) -> Change:
    """Return the change that puts an import before the first one of the module."""
    return new_statement(source, _first_import(source), line, spaced=False)


def new_statement(source: Source, anchor: ast.stmt, text: str, *, spaced: bool) -> Change:
    """Return the change that puts a statement of the module before another one.

    Args:
        source: File.
        anchor: Statement of the module that it comes before.
        text: One line.
        spaced: Whether blank lines follow.

    Raises:
        Refused: If something stands before the other statement on its line.
    """
    decorators = getattr(anchor, "decorator_list", [])
    line = min([anchor.lineno, *(each.lineno for each in decorators)])
    start = source.line_starts[line - 1]
    if source.text[start : source.offset(line, 0)].strip() or anchor.col_offset:
        raise Refused("there is no line of its own for a new statement of the module")
    is_import = isinstance(anchor, ast.Import | ast.ImportFrom)
    ends = source.newline * (3 if spaced else 1 if is_import else 2)

    def do(node: ast.AST) -> Made:
        return [ast.parse(text).body[0], node]

    def undo(node: ast.AST) -> Made:
        return None

    return Change(source, anchor, (Piece(start, start, f"{text}{ends}"),), do, undo)


def first_after_imports(source: Source) -> ast.stmt:
    """Return the first statement after the imports at the top of a module."""
    first, past = _first_import(source), False
    for statement in source.tree.body:
        past = past or statement is first
        if past and not isinstance(statement, ast.Import | ast.ImportFrom):
            return statement
    raise Refused("the module has nothing but imports")


def _first_import(source: Source) -> ast.stmt:
    """Return the first statement that may have an import before it: not the `__future__` ones."""
    body = source.tree.body
    rest = [
        each
        for number, each in enumerate(body)
        if not (number == 0 and _is_text(each))
        and not (isinstance(each, ast.ImportFrom) and each.module == "__future__")
    ]
    if not rest:
        raise Refused("the module has no statement to put an import before")
    return rest[0]


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_module(source: Source, name: str, at: ast.AST, module: str) -> bool:
    """Tell whether all that binds a name as a node sees it imports a module, at the top."""
    found = bindings(source, name, at)
    return bool(found) and all(
        isinstance(each.node, ast.Import)
        and isinstance(each.scope, ast.Module)
        and any((a.asname or a.name) == name and a.name == module for a in each.node.names)
        for each in found
    )


def _is_hidden(source: Source, name: str, at: ast.AST) -> bool:
    """Tell whether a function around a node uses the name for something of its own."""
    return any(
        isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        and name in {each for each, *_ in bound_in(outer)}
        for _, outer in source.around(at)
    )


def _gives(node: ast.AST, statement: ast.ImportFrom, twin: str) -> bool:
    return (
        isinstance(node, ast.ImportFrom)
        and (node.module, node.level) == (statement.module, statement.level)
        and any(each.name == twin and each.asname in (None, twin) for each in node.names)
    )


def fresh_name(source: Source, *wanted: str) -> str:
    """Return the first name that stands nowhere in a file.

    Raises:
        Refused: If all of them do.
    """
    used = used_names(source.tree)
    for name in wanted:
        if name not in used:
            return name
    raise Refused(f"the names {', '.join(wanted)} are used already")
