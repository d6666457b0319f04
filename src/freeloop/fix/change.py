"""Changes: an edit of the text together with what it means for the tree, there and back."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from freeloop.fix.edit import Piece
from freeloop.fix.source import Source

type Made = ast.AST | list[ast.AST] | None


class Refused(Exception):  # noqa: N818 - an answer, told to the user
    """Why no edit is offered, one clause without a full stop."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One node that becomes another one.

    The text is edited by `pieces` alone. `do` says what the tree should be afterwards, and `undo`
    makes the old node of the new one: both serve the proof, never the edit.

    Attributes:
        source: File that the node is in.
        node: Which.
        pieces: What the text becomes.
        do: Returns what stands for the node afterwards; a list puts new statements beside it.
        undo: Returns the old node; None for a statement that was not there.
    """

    source: Source
    node: ast.AST
    pieces: tuple[Piece, ...]
    do: Callable[[ast.AST], Made]
    undo: Callable[[ast.AST], Made]


def awaited(source: Source, call: ast.Call, callee: str = "") -> Change:
    """Return the change of a call to the awaited call of another function.

    Args:
        source: File of the call.
        call: Which.
        callee: What is called instead; a name alone takes the place of the last name of the callee
            when that is an attribute. "" leaves it.
    """
    old = call.func
    start, end = source.start(call), source.end(call)
    opened, closed = ("(", ")") if needs_parentheses(source, call) else ("", "")
    pieces = [Piece(end, end, closed)] if closed else []
    renamed = callee if isinstance(old, ast.Attribute) and "." not in callee else ""
    first, last = source.start(old), source.end(old)
    if renamed or not callee:
        pieces.append(Piece(start, start, f"{opened}await "))
        if renamed:
            pieces.append(Piece(last - len(getattr(old, "attr", "")), last, callee))
    elif first == start:
        pieces.append(Piece(first, last, f"{opened}await {callee}"))
    else:
        pieces += [Piece(start, start, f"{opened}await "), Piece(first, last, callee)]

    def do(node: ast.AST) -> Made:
        assert isinstance(node, ast.Call)
        if renamed:
            # What stands before the name may be changed too: only the name is set.
            setattr(node.func, "attr", renamed)  # noqa: B010 - an attribute, as asked above
        elif callee:
            node.func = ast.parse(callee, mode="eval").body
        return ast.Await(node)

    def undo(node: ast.AST) -> Made:
        assert isinstance(node, ast.Await)
        call_now = node.value
        assert isinstance(call_now, ast.Call)
        if renamed and isinstance(old, ast.Attribute):
            setattr(call_now.func, "attr", old.attr)  # noqa: B010
        elif callee:
            call_now.func = old
        return call_now

    return Change(source, call, tuple(pieces), do, undo)


def needs_parentheses(source: Source, node: ast.expr) -> bool:
    """Tell whether an await in place of a node must be put in parentheses."""
    parent = source.parents[node]
    if isinstance(parent, ast.Attribute | ast.Subscript):
        binds = parent.value is node
    elif isinstance(parent, ast.Call):
        binds = parent.func is node
    else:
        binds = False
    # Where the text begins later than the node around it, there are parentheses already.
    return binds and source.start(parent) == source.start(node)
