"""Routes: which view a path leads to, read from the URLconf and its includes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from freeloop.source.code.files import CodeFile
from freeloop.source.code.handlers import registered
from freeloop.source.code.index import Func, Module
from freeloop.source.code.kinds import (
    ClassRef,
    Ext,
    ExtMethod,
    FuncRef,
    Kind,
    ModuleRef,
    Text,
)
from freeloop.source.code.program import Program
from freeloop.source.code.settings import Settings
from freeloop.source.code.sites import Site, What

# Modules that hold routes by convention; a project may include them by a name we cannot read.
URL_MODULES = ("urls", "routing", "asgi", "router", "routers")
AS_VIEW = ("as_view", "as_asgi", "as_router")


@dataclass(frozen=True, slots=True)
class Route:
    """One path and what it leads to.

    Attributes:
        path: As written, with the prefixes of its includes.
        target: A function, or a class whose `as_view` is called.
    """

    path: str
    target: FuncRef | ClassRef


class Routes:
    """Reads the URLconf."""

    def __init__(self, program: Program, settings: Settings) -> None:
        """Read that of the settings, and every other that something may include."""
        self._program = program
        self._settings = settings
        self._seen: set[str] = set()

    def all(self) -> Iterator[Route]:
        """Yield every route, those below ROOT_URLCONF first."""
        index = self._program.index
        root = index.module(self._settings.urlconf)
        if root is not None:
            yield from self._of_module(root, "/")
        others = {
            path: file
            for path, file in index.files.items()
            if file.module.rpartition(".")[2] in URL_MODULES and path not in self._seen
        }
        while others:
            found = [path for path, file in others.items() if self._may_be_read(file, others, root)]
            for path in found:
                del others[path]
                module = index.module_of(path)
                if module is not None:
                    yield from self._of_module(module, "")
            if not found:
                break

    def _may_be_read(self, file: CodeFile, others: Collection[str], root: Module | None) -> bool:
        """Tell whether a module of routes is included or loaded by one that is not left over."""
        is_served = root is None or file.module.endswith("asgi")
        return is_served or self._program.named.module(file, others)

    def never_given(self, func: Func) -> frozenset[str]:
        """Return parameters of a view that have their defaults: no module of routes names them."""
        index = self._program.index
        return frozenset(
            name
            for name, _ in func.defaults
            if not any(index.mentions(path, name) for path in self._seen)
        )

    def _of_module(self, module: Module, prefix: str) -> Iterator[Route]:
        if module.file.path in self._seen:
            return
        self._seen.add(module.file.path)
        calls = [site for site in self._program.sites(module.body) if site.what is What.CALL]
        for number, site in enumerate(calls):
            # `path("a/", view)` and calls of the project's own that pass on to it.
            path = prefix + _text(site)
            for given in (*site.arguments, *site.keywords.values()):
                target = _view(given)
                if target is not None:
                    yield Route(path, target)
            class_view = _class_view(site) or registered(site)
            if class_view is not None:
                yield Route(prefix + _around(calls, number), class_view)
            yield from self._included(site, prefix + _around(calls, number))

    def _included(self, site: Site, prefix: str) -> Iterator[Route]:
        if not (isinstance(site.target, Ext) and site.target.name.endswith(".include")):
            return
        first = site.arguments[0] if site.arguments else None
        name = first.value if isinstance(first, Text) else ""
        if isinstance(first, ModuleRef):
            name = first.name
        module = self._program.index.module(name) if name else None
        if module is not None:
            yield from self._of_module(module, prefix)


def _view(given: Kind | None) -> FuncRef | None:
    """Return a view; what an adapter runs in a thread is none on the loop."""
    return given if isinstance(given, FuncRef) else None


def _class_view(site: Site) -> ClassRef | None:
    target = site.target
    if isinstance(target, ExtMethod) and target.name in AS_VIEW:
        return target.owner if isinstance(target.owner, ClassRef) else None
    if isinstance(target, FuncRef) and target.func.last_name in AS_VIEW:
        return target.owner if isinstance(target.owner, ClassRef) else None
    return None


def _text(site: Site) -> str:
    first = site.arguments[0] if site.arguments else None
    return first.value.lstrip("^") if isinstance(first, Text) else ""


def _around(calls: list[Site], number: int) -> str:
    """Return the path of the call that this one is an argument of: inner calls come first."""
    inner = calls[number]
    for site in calls[number + 1 : number + 6]:
        if site.line <= inner.line <= site.end_line and _text(site):
            return _text(site)
    return ""
