"""A recipe: how one kind of finding is mended; found by walking the folder `recipes`."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import freeloop.fix.recipes
from freeloop.fix.change import Change, Refused
from freeloop.fix.proof import HARMLESS_BLOCKS, Proof
from freeloop.fix.source import Source
from freeloop.model.finding import Finding
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import Ext, ExtInst
from freeloop.source.code.sites import Site


@dataclass(frozen=True, slots=True)
class Draft:
    """What a recipe would do.

    Attributes:
        sentence: What is written instead; "" if the finding says it.
        changes: Of the files.
        doubts: Why it is not certain that the program does the same; empty for a safe edit.
    """

    sentence: str
    changes: tuple[Change, ...]
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spot:
    """A finding with what is known at its place.

    Attributes:
        graph: Answers questions about the whole project.
        finding: What is to be mended.
        func: Function that it is in.
        sites: What happens in that function, on the lines of the finding.
        open: Gives a file of the project; raises Refused when it cannot be edited.
    """

    graph: Graph
    finding: Finding
    func: Func
    sites: tuple[Site, ...]
    open: Callable[[str], Source]

    @property
    def source(self) -> Source:
        """The file that it is in; parsed when a recipe first looks at it, which few findings need.

        Raises:
            Refused: If it cannot be edited.
        """
        return self.open(self.func.module.file.path)

    @property
    def proof(self) -> Proof:
        """What can be proved in the function."""
        return Proof(self.graph, self.source, self.func)

    def call(self, site: Site) -> ast.Call:
        """Return the call of a site.

        Raises:
            Refused: If the text holds none there.
        """
        found = self.source.call(site.line, site.column, site.term)
        if found is None:
            raise Refused("the call was not found in the text")
        return found


@dataclass(frozen=True, slots=True)
class Recipe:
    """How findings of some rules are mended.

    Attributes:
        rules: Ids of the rules whose findings it may mend.
        draft: Returns the changes, or None if the finding is another recipe's business; raises
            Refused if it is its own and cannot be mended.
        of_django: Whether it writes what the installed Django has, and an older one may not have.
    """

    rules: frozenset[str]
    draft: Callable[[Spot], Draft | None]
    of_django: bool = False


@cache
def all_recipes() -> tuple[Recipe, ...]:
    """Return every recipe, by the name of its file."""
    return tuple(_walked())


def recipes_of(rule: str) -> Iterator[Recipe]:
    """Yield the recipes that may mend what a rule finds."""
    return (recipe for recipe in all_recipes() if rule in recipe.rules)


def _walked() -> Iterator[Recipe]:
    for module in pkgutil.iter_modules(freeloop.fix.recipes.__path__, "freeloop.fix.recipes."):
        found = getattr(importlib.import_module(module.name), "RECIPE", None)
        if isinstance(found, Recipe):
            yield found


def must_allow_await(spot: Spot, node: ast.AST, site: Site) -> tuple[str, ...]:
    """Return doubts about an await in a place.

    Raises:
        Refused: If Python allows none there, or it would mean something else.
    """
    for inner, outer in spot.source.around(node):
        match outer:
            case ast.GeneratorExp():
                first = outer.generators[0]
                if inner is not first or not _is_below(spot.source, node, first.iter):
                    raise Refused("an await would make the generator expression an async one")
            case ast.Lambda():
                raise Refused("a lambda cannot await")
            case ast.AsyncFunctionDef():
                if inner in outer.body:
                    return _doubts_of_blocks(site)
                raise Refused("it runs where the function is defined, not in it")
            case ast.FunctionDef() | ast.ClassDef():
                raise Refused("it is not directly in an async function")
            case _:
                pass
    raise Refused("it is not in an async function")


def _doubts_of_blocks(site: Site) -> tuple[str, ...]:
    """Return doubts about what a task would hold while it waits."""
    doubts = []
    for held in site.held:
        name = held.kind.name if isinstance(held.kind, Ext | ExtInst) else ""
        if "atomic" in name.rpartition(".")[2].lower() or "atomic" in held.text:
            raise Refused(f"it is inside the transaction of line {held.line}, which cannot await")
        if not held.is_async and not name.startswith(HARMLESS_BLOCKS):
            doubts.append(f"`with {held.text}` of line {held.line} would stay open over the await")
    return tuple(doubts)


def _is_below(source: Source, node: ast.AST, top: ast.AST) -> bool:
    return node is top or any(outer is top for _, outer in source.around(node))


def first_of(doubts: Sequence[str]) -> tuple[str, ...]:
    """Return doubts without the empty ones and doubles."""
    return tuple(dict.fromkeys(doubt for doubt in doubts if doubt))
