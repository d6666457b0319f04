"""A task that nobody keeps is put in a set of the module until it is done.

Nothing else of the program changes: the task runs as before, and is dropped when it is done.
"""

from __future__ import annotations

import ast

from freeloop.fix.change import Change, Made, Refused
from freeloop.fix.edit import Piece
from freeloop.fix.imports import first_after_imports, fresh_name, new_statement
from freeloop.fix.names import bound_in
from freeloop.fix.recipe import Draft, Recipe, Spot
from freeloop.fix.source import Source
from freeloop.source.code.sites import Site, Use, What

KEPT = "background_tasks"


def draft(spot: Spot) -> Draft | None:
    """Return the statement with two more behind it, and the set."""
    sites = [site for site in spot.sites if _starts(spot, site)]
    if len(sites) != 1:
        return None
    source = spot.source
    statement = source.parents[spot.call(sites[0])]
    if not isinstance(statement, ast.Expr):
        raise Refused("the task is started inside of another expression")
    kept, made = _set(source)
    task = fresh_name(source, "task", "background_task", "kept_task")
    keep = _keep(source, statement, task, kept)
    sentence = f"{task} = ..., kept in {kept} until it is done"
    return Draft(sentence, (keep, *made))


def _starts(spot: Spot, site: Site) -> bool:
    return (
        site.what is What.CALL
        and site.use is Use.STATEMENT
        and (site.line, site.column) == (spot.finding.line, spot.finding.column)
    )


def _keep(source: Source, statement: ast.Expr, task: str, kept: str) -> Change:
    start, end = source.start(statement), source.end(statement)
    line = source.line(statement.lineno)
    indent = line[: len(line) - len(line.lstrip())]
    last = source.line(statement.end_lineno or statement.lineno)
    rest = source.text[end : source.offset(statement.end_lineno or 1, 0) + len(last)]
    before = source.text[source.offset(statement.lineno, 0) : start]
    if before.strip() or rest.partition("#")[0].strip():
        raise Refused("the statement shares its line with others")
    lines = [f"{kept}.add({task})", f"{task}.add_done_callback({kept}.discard)"]
    tail = "".join(f"{source.newline}{indent}{each}" for each in lines)
    # Behind a comment of the line, and before its end.
    behind = end + len(rest.rstrip("\r\n"))

    def do(node: ast.AST) -> Made:
        assert isinstance(node, ast.Expr)
        given = ast.Assign([ast.Name(task, ast.Store())], node.value, lineno=node.lineno)
        return [given, *ast.parse("\n".join(lines)).body]

    def undo(node: ast.AST) -> Made:
        return ast.Expr(node.value) if isinstance(node, ast.Assign) else None

    return Change(
        source,
        statement,
        (Piece(start, start, f"{task} = "), Piece(behind, behind, tail)),
        do,
        undo,
    )


def _set(source: Source) -> tuple[str, tuple[Change, ...]]:
    """Return the name of the module's set, and what makes it; nothing where it is already."""
    for statement in source.tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement) == f"{KEPT} = set()":
            others = [name for name, *_ in bound_in(source.tree) if name == KEPT]
            if len(others) == 1:
                return KEPT, ()
    name = fresh_name(source, KEPT, f"_{KEPT}", "kept_tasks")
    anchor = first_after_imports(source)
    return name, (new_statement(source, anchor, f"{name} = set()", spaced=True),)


RECIPE = Recipe(frozenset({"FL503"}), draft)
