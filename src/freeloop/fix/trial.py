"""The rungs that one file can climb alone: it compiles, only the intended nodes differ, and back.

The expected tree is made from the old tree by `Change.do`; the edited text must parse to exactly
that. Then `Change.undo` is applied to the tree of the edited text, which must give the old tree.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Sequence

from freeloop.fix.change import Change, Made, Refused
from freeloop.fix.edit import Overlap, placed
from freeloop.fix.source import Source

UNDO = "_freeloop_undo"


def tried(source: Source, changes: Sequence[Change]) -> bytes:
    """Return the content of a file with changes made, when it passes.

    Raises:
        Refused: With the rung that it fails.
        Overlap: If two changes want the same place.
    """
    changes = _once([change for change in changes if change.source is source])
    text = placed(source.text, [piece for change in changes for piece in change.pieces])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, source.path, "exec", dont_inherit=True)
        new = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise Refused(f"the edited file would not compile: {error}") from error
    expected = _done(source, changes)
    if not _alike(expected, new):
        raise Refused("the edit would change more of the code than it should")
    if not _alike(_undone(expected, new), source.tree):
        raise Refused("the edit could not be taken back")
    return text.encode(source.encoding)


def _once(changes: Sequence[Change]) -> list[Change]:
    """Return changes without doubles: two edits may need one import."""
    seen: dict[tuple[int, object], Change] = {}
    for change in changes:
        seen.setdefault((id(change.node), change.pieces), change)
    return list(seen.values())


def _alike(one: object, other: object) -> bool:
    """Tell whether two trees are the same; where their nodes stand does not count."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, ast.AST):
        return all(
            _alike(getattr(one, name, None), getattr(other, name, None)) for name in one._fields
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    # Text that tells 0.0 from -0.0, and a number that is none from itself.
    return repr(one) == repr(other)


def _done(source: Source, changes: Sequence[Change]) -> ast.Module:
    # Parsed again: far faster than a deep copy.
    made = ast.parse(source.text)
    copies = zip(ast.walk(source.tree), ast.walk(made), strict=True)
    nodes = {id(change.node) for change in changes}
    memo = {id(node): id(copied) for node, copied in copies if id(node) in nodes}
    wanted: dict[int, list[Change]] = {}
    for change in changes:
        wanted.setdefault(memo[id(change.node)], []).append(change)

    class Doer(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Made:
            self.generic_visit(node)
            found: Made = node
            for change in wanted.get(id(node), ()):
                if isinstance(found, list):
                    raise Overlap("two changes of one statement")
                found = _marked(node, change.do(node), change.undo)
            return found

    done = Doer().visit(made)
    assert isinstance(done, ast.Module)
    return done


def _marked(old: ast.AST, found: Made, undo: Callable[[ast.AST], Made]) -> Made:
    """Remember how each node is undone; of a list, the statements that are new."""
    for each in found if isinstance(found, list) else [found]:
        if each is not None and (each is not old or not isinstance(found, list)):
            setattr(each, UNDO, [*getattr(each, UNDO, ()), undo])
    return found


def _undone(expected: ast.Module, new: ast.Module) -> ast.AST:
    """Return the tree of the edited text with all changes undone, place by place."""
    wanted = {
        id(after): getattr(before, UNDO)
        for before, after in zip(ast.walk(expected), ast.walk(new), strict=True)
        if hasattr(before, UNDO)
    }

    class Undoer(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Made:
            self.generic_visit(node)
            found: Made = node
            for undo in reversed(wanted.get(id(node), ())):
                if isinstance(found, ast.AST):
                    found = undo(found)
            return found

    undone = Undoer().visit(new)
    assert isinstance(undone, ast.AST)
    return undone
