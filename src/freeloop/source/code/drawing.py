"""Drawing: what a call of `render` does with its context, as far as template and kinds tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from freeloop.source.code.index import Func
from freeloop.source.code.kinds import (
    Ext,
    ExtInst,
    ExtMethod,
    FuncRef,
    Kind,
    Manager,
    Many,
    QuerySet,
    Text,
    asks,
)
from freeloop.source.code.orm import RUNS
from freeloop.source.code.program import Program
from freeloop.source.code.results import item_of
from freeloop.source.code.sites import Site
from freeloop.source.code.templates import Drawn, Lookup, Templates

DRAWS = frozenset({"django.shortcuts.render", "django.template.loader.render_to_string"})
REGISTERS = frozenset({"simple_tag", "inclusion_tag", "simple_block_tag", "filter"})


@dataclass(frozen=True, slots=True)
class Queried:
    """A query that a template runs.

    Attributes:
        path: What is looked up, "order.guest".
        place: Template and line, "orders/list.html:3".
    """

    path: str
    place: str


class Drawing:
    """Tells what is run and queried while a template is drawn."""

    def __init__(self, program: Program, templates: Templates) -> None:
        """Tell it of a program and its templates."""
        self._program = program
        self._templates = templates
        self._libraries: dict[str, dict[str, Func]] = {}

    def functions(self, site: Site) -> Iterator[Func]:
        """Yield the project's tags and filters that the template of a call uses."""
        drawn = self._of(site)
        if drawn is None:
            return
        known: dict[str, Func] = {}
        for library in sorted(drawn.loads):
            known.update(self._library(library))
        found = dict.fromkeys(known[name] for name, _, _ in drawn.tags if name in known)
        yield from found

    def query(self, site: Site) -> Queried | None:
        """Return the first query that the template of a call runs with its context.

        Without the template, a queryset in the context is taken for one whose rows it takes.
        """
        context = _context(site)
        drawn = self._of(site)
        if drawn is None or not drawn.whole:
            lazy = next((name for name, kind in context.items() if asks(kind)), "")
            return Queried(lazy, "") if lazy else None
        known = dict(context)
        for lookup in drawn.lookups:
            found = self._look(lookup, known)
            if found is not None:
                return found
        return None

    def user(self, site: Site) -> Queried | None:
        """Return where the template of a call with a request looks at `user`, which is lazy."""
        target = site.target
        has_request = isinstance(target, Ext) and target.name.endswith(".render")
        drawn = self._of(site) if has_request or "request" in site.keywords else None
        context = _context(site)
        for lookup in drawn.lookups if drawn is not None else ():
            first, *rest = lookup.path.split(".")
            if first == "request" and rest[:1] == ["user"]:
                return Queried(lookup.path, f"{lookup.file}:{lookup.line}")
            if first in ("user", "perms") and first not in context:
                return Queried(lookup.path, f"{lookup.file}:{lookup.line}")
        return None

    def _look(self, lookup: Lookup, known: dict[str, Kind | None]) -> Queried | None:
        """Follow one lookup; what it gives becomes known under its alias."""
        first, *rest = lookup.path.split(".")
        kind = known.get(first)
        at = f"{lookup.file}:{lookup.line}"
        path = first
        for part in rest:
            path = f"{path}.{part}"
            if isinstance(kind, QuerySet | Manager) and part in RUNS:
                return Queried(path, at)
            if self._program.attributes.foreign_key(kind, part) is not None:
                return Queried(path, at)
            kind = self._called(self._program.attributes.of(kind, part))
        if lookup.looped and asks(kind):
            return Queried(lookup.path, at)
        if not lookup.alias and asks(kind):
            return Queried(lookup.path, at)
        if lookup.alias:
            known[lookup.alias] = item_of(kind) if lookup.looped else kind
        return None

    def _called(self, kind: Kind | None) -> Kind | None:
        """Return what a template makes of a thing: it calls what can be called."""
        if isinstance(kind, FuncRef):
            return None if kind.func.is_async else self._program.returned(kind.func)
        if isinstance(kind, ExtMethod) and isinstance(kind.owner, QuerySet | Manager):
            return self._program.called(kind, (), {}, 0)
        return kind

    def _of(self, site: Site) -> Drawn | None:
        name = _template(site)
        return self._templates.draw(name) if name else None

    def _library(self, name: str) -> dict[str, Func]:
        """Return the tags and filters of the project's library of that name."""
        if name not in self._libraries:
            self._libraries[name] = {}
            for path, file in list(self._program.index.files.items()):
                if file.module.endswith(f"templatetags.{name}"):
                    module = self._program.index.module_of(path)
                    for func in module.functions if module is not None else ():
                        self._libraries[name].update(
                            dict.fromkeys(_names(self._program, func), func)
                        )
        return self._libraries[name]


def _names(program: Program, func: Func) -> Iterator[str]:
    """Yield the names that a function is registered under as a tag or filter."""
    for _, term, kind in program.resolver.decorator_names(func):
        if not isinstance(kind, ExtMethod) or kind.name not in REGISTERS:
            continue
        if not isinstance(kind.owner, ExtInst) or not kind.owner.name.endswith(".Library"):
            continue
        name = func.last_name
        if type(term) is tuple and term[0] == 2:
            named = [value for key, value in term[3] if key == "name"]
            if kind.name == "filter":
                named += term[2][:1]
            given = next((each[1] for each in named if type(each) is tuple and each[0] == 3), None)
            name = given if isinstance(given, str) else name
        yield name


def _template(site: Site) -> str:
    """Return the name of the template that a call draws; "" if it is not written out."""
    target = site.target
    at = 1 if isinstance(target, Ext) and target.name.endswith(".render") else 0
    given = site.arguments[at] if len(site.arguments) > at else site.keywords.get("template_name")
    return given.value if isinstance(given, Text) else ""


def _context(site: Site) -> Mapping[str, Kind | None]:
    target = site.target
    at = 2 if isinstance(target, Ext) and target.name.endswith(".render") else 1
    given = site.arguments[at] if len(site.arguments) > at else site.keywords.get("context")
    return dict(given.named) if isinstance(given, Many) else {}
