"""From the code that ran to the names under which people import it."""

from __future__ import annotations

import inspect
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from freeloop.record.places import Places

# Of a function: more would be a chain that leads back to itself.
MOST_WRAPPERS = 8
# Modules of the standard library that stand behind another one.
BEHIND = frozenset({"posixpath", "ntpath", "genericpath", "posix", "nt"})


class Names:
    """All functions and classes of the modules that are loaded, by the code and by identity."""

    def __init__(self, places: Places, packages: frozenset[str]) -> None:
        self._places = places
        self._owners: dict[tuple[str, str], list[tuple[Any, str]]] = defaultdict(list)
        self._packages = packages
        self._local: dict[str, type] = {}
        self._things: dict[int, tuple[Any, set[str]]] = {}
        for name, module in self._modules(packages):
            for attribute, thing in list(vars(module).items()):
                if isinstance(thing, type) or callable(thing):
                    self._keep(thing, name, attribute)

    def functions(self, path: str, qualname: str) -> tuple[str, ...]:
        """Return the settled names of a function by the place of its code."""
        found: dict[str, None] = {}
        for owner, method in self._owners.get((path, qualname), ()):
            name = self.settled(owner)
            if name:
                found[f"{name}.{method}" if method else name] = None
        return tuple(found)

    def settled(self, thing: Any) -> str:
        """Return the one name under which a class or function is kept; "" without a public one."""
        if thing is type(threading.Lock()):
            return "threading.Lock"  # a function, before Python 3.13
        _, names = self._things.get(id(thing), (None, set()))
        public = [name for name in names if is_public(name) and self._means_it(name, thing)]
        doors = [name for name in public if name.rpartition(".")[0] not in BEHIND]
        return min(doors, key=lambda name: (name.count("."), len(name), name), default="")

    def aliases(self, settled: str, thing: Any) -> Iterator[str]:
        """Yield the other names of a class or function, without where somebody imported it."""
        _, names = self._things.get(id(thing), (None, set()))
        yield from sorted(name for name in names - {settled} if self._means_it(name, thing))

    def thing(self, dotted: str) -> Any:
        """Return what a dotted name means in the loaded modules; None if nothing."""
        owner, _, attribute = dotted.rpartition(".")
        if dotted in self._local:
            return self._local[dotted]
        if owner in self._local:
            return inspect.getattr_static(self._local[owner], attribute, None)
        return resolve(dotted)

    def of_class(self, cls: type) -> str:
        """Return the settled name of a class; that of a function's own one is its module's."""
        if "<locals>" in cls.__qualname__ and cls.__module__.partition(".")[0] in self._packages:
            name = f"{cls.__module__}.{cls.__name__}"
            self._local[name] = cls
            return name
        return self.settled(cls)

    def _keep(self, thing: Any, module: str, attribute: str) -> None:
        if id(thing) not in self._things:
            self._things[id(thing)] = (thing, set())
            self._index(thing)
            home, own = asked(thing, "__module__", None), asked(thing, "__qualname__", None)
            if isinstance(home, str) and isinstance(own, str) and "<" not in own:
                self._things[id(thing)][1].add(f"{home}.{own}")
        name = attribute if module == "builtins" else f"{module}.{attribute}"
        self._things[id(thing)][1].add(name)

    def _index(self, thing: Any) -> None:
        if not isinstance(thing, type):
            for code in codes(thing):
                self._owners[self._key(code)].append((thing, ""))
            return
        for method, value in list(vars(thing).items()):
            for code in codes(value):
                self._owners[self._key(code)].append((thing, method))

    def _key(self, code: CodeType) -> tuple[str, str]:
        return self._places.shown(code.co_filename), code.co_qualname

    @staticmethod
    def _modules(packages: frozenset[str]) -> Iterator[tuple[str, ModuleType]]:
        # Some libraries put other things than modules there.
        loaded: list[tuple[str, Any]] = sorted(sys.modules.items(), key=lambda each: each[0])
        for name, module in loaded:
            if isinstance(module, ModuleType) and name.partition(".")[0] in packages:
                yield name, module

    @staticmethod
    def _means_it(name: str, thing: Any) -> bool:
        """Whether a name is a home or a door of a thing, and not where somebody imported it."""
        module, _, attribute = name.rpartition(".")
        home = str(asked(thing, "__module__", None) or "")
        if module in {home, "", home.lstrip("_")} or f"{home}.".startswith(f"{module}."):
            return resolve(name) is thing or attribute != asked(thing, "__name__", attribute)
        return attribute in getattr(sys.modules.get(module), "__all__", ())


def codes(thing: Any) -> Iterator[CodeType]:
    """Yield the code of a function and of what it wraps."""
    if isinstance(thing, property):
        thing = thing.fget
    thing = getattr(thing, "func", thing) if type(thing).__name__ == "cached_property" else thing
    for _ in range(MOST_WRAPPERS):
        thing = asked(thing, "__func__", thing)
        code = asked(thing, "__code__", None)
        if isinstance(code, CodeType) and "<locals>" not in code.co_qualname:
            yield code
        wrapped = asked(thing, "__wrapped__", None)
        if not isinstance(wrapped, FunctionType | MethodType):
            return
        thing = wrapped


def asked(thing: Any, name: str, default: Any) -> Any:
    """Return an attribute; some objects of libraries import or raise when they are asked."""
    try:
        return getattr(thing, name, default)
    except Exception:
        return default


def is_public(name: str) -> bool:
    """Whether no part of a dotted name is private; names of the language's protocols are not."""
    return all(
        not part.startswith("_") or (part.startswith("__") and part.endswith("__"))
        for part in name.split(".")
    )


def resolve(dotted: str) -> Any:
    """Return what a dotted name means in the loaded modules; None if nothing."""
    parts = dotted.split(".")
    for length in range(len(parts) - 1, -1, -1):
        module = sys.modules.get(".".join(parts[:length]) if length else "builtins")
        if module is None:
            continue
        found: Any = module
        for part in parts[length:]:
            found = inspect.getattr_static(found, part, None)
            if found is None:
                break
        if found is not None:
            return found
    return None
