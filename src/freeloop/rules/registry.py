"""The registry of rules: found by walking the folder, so that no list is edited by everybody."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import freeloop.rules
from freeloop.errors import FreeloopError
from freeloop.model.finding import Finding, FindingClass

if TYPE_CHECKING:
    from freeloop.source.code.graph import Graph


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is looked for. Its module's docstring is its page.

    A module below `freeloop.rules.<family>` that has a global `RULE` is a rule.

    Attributes:
        id: "FL101"; never reused.
        name: "blocking-call"; what `# freeloop: ignore[...]` and the page are called.
        class_: What goes wrong where it is found, unless the finding says otherwise.
        find: Asks the graph, and yields findings in any order; it never sees a syntax tree.
    """

    id: str
    name: str
    class_: FindingClass
    find: Callable[[Graph], Iterator[Finding]]

    def is_named_in(self, names: Collection[str]) -> bool:
        """Tell whether its id or its name is among some names."""
        return self.id in names or self.name in names


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule of the house, by id."""
    found: list[Rule] = []
    walked = pkgutil.walk_packages(freeloop.rules.__path__, "freeloop.rules.")
    for module in walked:
        rule = getattr(importlib.import_module(module.name), "RULE", None)
        if isinstance(rule, Rule):
            found.append(rule)
    return tuple(sorted(found, key=lambda rule: rule.id))


def refuse_unknown(names: Collection[str], where: str) -> None:
    """Refuse names that no rule has.

    Args:
        names: Ids and names of rules.
        where: What named them, such as "--select".

    Raises:
        FreeloopError: `unknown-rule`, with the nearest name.
    """
    rules = all_rules()
    known = [name for rule in rules for name in (rule.id, rule.name)]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            listed = ", ".join(f"{rule.id} {rule.name}" for rule in rules)
            raise FreeloopError(
                "unknown-rule",
                what=f"there is no rule {name}",
                where=where,
                mend=f"{f'did you mean {near[0]}? ' if near else ''}known: {listed}",
            )


def page_of(rule: Rule) -> str:
    """Return the documentation of a rule, which is the docstring of its module."""
    module = importlib.import_module(rule.find.__module__)
    return module.__doc__ or ""
