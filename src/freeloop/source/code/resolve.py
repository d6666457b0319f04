"""Names to kinds: through imports, re-exports, classes with their bases, and decorators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

from freeloop.knowledge.blocking import Knowledge
from freeloop.source.code.index import Class, Func, Index, Module
from freeloop.source.code.kinds import (
    NOTHING,
    ClassRef,
    Enter,
    Ext,
    ExtInst,
    FuncRef,
    Inst,
    Kind,
    Lent,
    Many,
    ModuleRef,
    Offload,
    QuerySet,
)
from freeloop.source.code.orm import MANAGER_NAMES, MODEL_NAMES, QUERYSET
from freeloop.source.code.terms import (
    ANNOTATED,
    ASSIGN,
    ATTRIBUTE,
    CALL,
    CONSTANT,
    FOR,
    IF,
    OPERATION,
    SEQUENCE,
    SUBSCRIPT,
    TRY,
    WITH,
    Term,
    Terms,
)

# Adapters that close old connections before and after what they run.
CLOSERS = frozenset({"channels.db.database_sync_to_async", "channels.db.DatabaseSyncToAsync"})
OFFLOADERS = CLOSERS | frozenset(
    {
        "asgiref.sync.sync_to_async",
        "asgiref.sync.SyncToAsync",
        "starlette.concurrency.run_in_threadpool",
        "fastapi.concurrency.run_in_threadpool",
    }
)
ENTERERS = frozenset({"asgiref.sync.async_to_sync", "asgiref.sync.AsyncToSync"})
PROPERTIES = frozenset(
    {
        "property",
        "functools.cached_property",
        "django.utils.functional.cached_property",
        "django.utils.functional.classproperty",
    }
)
CACHES = frozenset({"functools.cache", "functools.lru_cache"})
LENDERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
CACHED_PROPERTIES = PROPERTIES - {"property", "django.utils.functional.classproperty"}
# Annotations that say nothing about what their argument is.
TRANSPARENT = frozenset(
    {"typing.Annotated", "typing.Final", "typing.ClassVar", "typing.Optional", "typing.Required"}
)
MANY = frozenset(
    {"list", "set", "tuple", "frozenset", "typing.List", "typing.Sequence", "typing.Iterable"}
    | {f"collections.abc.{name}" for name in ("Sequence", "Iterable", "Collection", "Iterator")}
)
QUERYSET_ALIASES = frozenset({QUERYSET, "django.db.models.QuerySet"})

type Evaluate = Callable[[Func, Term], Kind | None]


class Resolver:
    """Answers what a dotted name stands for."""

    def __init__(self, index: Index, knowledge: Knowledge) -> None:
        """Resolve names of an index; library names are settled by what is known of them."""
        self.index = index
        self.knowledge = knowledge
        # Set by the evaluator, which in turn asks here for names.
        self.evaluate: Evaluate = lambda func, term: None
        self._variables: dict[str, dict[str, list[tuple[Term, Term]]]] = {}
        self._kinds: dict[Module, dict[str, Kind | None]] = {}
        self._methods: dict[tuple[Class, str], Func | None] = {}
        # The same few names are asked for again and again.
        self.settled = cache(knowledge.settled)
        self._bases: dict[Class, tuple[str, ...]] = {}
        self._models: dict[Class, bool] = {}
        self._mros: dict[Class, list[Class | str]] = {}
        self._decorated: dict[Func, Kind] = {}
        self._library: dict[str, Ext] = {}

    def dotted(self, name: str) -> Kind | None:
        """Return what an absolute dotted name stands for."""
        known = self._library.get(name)
        if known is not None:
            return known
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            module = ".".join(parts[:length])
            if module in self.index:
                kind: Kind | None = ModuleRef(module)
                for part in parts[length:]:
                    kind = self.member(kind, part)
                    if kind is None:
                        return None
                return kind
        library = self._library[name] = Ext(self.settled(name))
        return library

    def member(self, kind: Kind | None, name: str) -> Kind | None:
        """Return a name of a module or class; of objects, the evaluator knows more."""
        match kind:
            case ModuleRef():
                module = self.index.module(kind.name)
                found = self.of_module(module, name) if module is not None else None
                if found is None and f"{kind.name}.{name}" in self.index:
                    return ModuleRef(f"{kind.name}.{name}")
                return found
            case Ext():
                dotted = f"{kind.name}.{name}"
                known = self._library.get(dotted)
                if known is None:
                    known = self._library[dotted] = Ext(self.settled(dotted))
                return known
            case _:
                pass
        return None

    def of_module(self, module: Module, name: str) -> Kind | None:
        """Return what a name of the top level of a module stands for."""
        kinds = self.kinds_of(module)
        if name in kinds:
            return kinds[name]
        found = module.names.get(name)
        if isinstance(found, Class):
            kind: Kind | None = ClassRef(found)
        else:
            # Until it is known, a name that asks for itself gets nothing.
            kinds[name] = None
            kind = self._of_module(module, name) if found is None else self.decorated(found)
        kinds[name] = kind
        return kind

    def kinds_of(self, module: Module) -> dict[str, Kind | None]:
        """Return the names of a module that were asked for, with what they stand for."""
        kinds = self._kinds.get(module)
        if kinds is None:
            kinds = self._kinds[module] = {}
        return kinds

    def _of_module(self, module: Module, name: str) -> Kind | None:
        for annotation, term in self.variables(module).get(name, ()):
            kind = self.evaluate(module.body, term)
            if kind is None or kind is NOTHING:
                kind = self.annotation(module, annotation) or kind
            if kind is not None and kind is not NOTHING:
                return kind
        dotted = module.imports.get(name)
        if dotted is not None:
            return self.dotted(dotted)
        for star in module.stars:
            source = self.index.module(star)
            if source is not None and source is not module:
                kind = self.of_module(source, name)
                if kind is not None:
                    return kind
        return None

    def variables(self, module: Module) -> dict[str, list[tuple[Term, Term]]]:
        """Return annotation and value of each variable that a module's body sets."""
        path = module.file.path
        if path not in self._variables:
            found: dict[str, list[tuple[Term, Term]]] = {}
            for name, annotation, term in _assigned(module.body.body):
                found.setdefault(name, []).append((annotation, term))
            self._variables[path] = found
        return self._variables[path]

    def mro(self, cls: Class) -> list[Class | str]:
        """Return a class and its bases, nearest first; library classes by their dotted name.

        Depth first with the last of doubles kept: for the shapes of Django projects the same as
        Python's order, and it needs no agreement of all bases.
        """
        known = self._mros.get(cls)
        if known is not None:
            return known
        self._mros[cls] = [cls]
        order: list[Class | str] = [cls]
        for base in cls.bases:
            kind = self.evaluate(cls.module.body, _without_arguments(base))
            if isinstance(kind, ClassRef):
                order += self.mro(kind.cls)
            elif isinstance(kind, Ext):
                order += self.knowledge.ancestry(kind.name)
        last: dict[Class | str, None] = {}
        for each in reversed(order):
            last.setdefault(each, None)
        self._mros[cls] = list(reversed(last))
        return self._mros[cls]

    def library_bases(self, cls: Class) -> tuple[str, ...]:
        """Return the dotted names of the library classes that a class inherits from."""
        known = self._bases.get(cls)
        if known is None:
            known = tuple(each for each in self.mro(cls) if isinstance(each, str))
            self._bases[cls] = known
        return known

    def is_model(self, cls: Class) -> bool:
        """Tell whether a class is a model of Django's."""
        known = self._models.get(cls)
        if known is None:
            known = self._models[cls] = any(
                base in MODEL_NAMES or base.endswith((".AbstractUser", ".AbstractBaseUser"))
                for base in self.library_bases(cls)
            )
        return known

    def is_manager(self, cls: Class) -> bool:
        """Tell whether a class is a manager or queryset."""
        bases = self.library_bases(cls)
        return bool(bases) and not MANAGER_NAMES.isdisjoint(bases)

    def method(self, cls: Class, name: str) -> Func | None:
        """Return a method of a class or its bases."""
        key = (cls, name)
        if key not in self._methods:
            self._methods[key] = next(
                (
                    each.methods[name]
                    for each in self.mro(cls)
                    if isinstance(each, Class) and name in each.methods
                ),
                None,
            )
        return self._methods[key]

    def decorator_names(self, func: Func) -> Iterator[tuple[str, Term, Kind | None]]:
        """Yield name, call and kind of each decorator, the innermost first."""
        for term in reversed(func.decorators):
            callee = term[1] if type(term) is tuple and term[0] == CALL else term
            kind = self.evaluate(func.outer or func.module.body, callee)
            if isinstance(kind, Ext):
                yield kind.name, term, kind
            elif kind is None and type(callee) is str:
                yield callee, term, None
            else:
                yield "", term, kind

    def decorated(self, func: Func) -> Kind:
        """Return what the name of a function stands for after its decorators."""
        known = self._decorated.get(func)
        if known is not None:
            return known
        kind: Kind = FuncRef(func)
        self._decorated[func] = kind
        if not func.decorators:
            return kind
        for name, term, decorator in self.decorator_names(func):
            if name in OFFLOADERS:
                kind = Offload(kind, is_sensitive(term), name in CLOSERS)
            elif name in ENTERERS:
                kind = Enter(kind)
            elif name in CACHES and isinstance(kind, FuncRef):
                kind = FuncRef(func, cached=True)
            elif name in LENDERS:
                kind = Lent(func)
            elif isinstance(decorator, FuncRef):
                kind = self._through(decorator.func, kind)
        self._decorated[func] = kind
        return kind

    def _through(self, decorator: Func, kind: Kind) -> Kind:
        """Return what a decorator of the project makes of a function: offloaded, or the same."""
        for _, term in _returned(decorator.body):
            made = self.evaluate(decorator, term)
            if isinstance(made, Offload):
                return replace(made, inner=kind)
            if isinstance(made, Enter):
                return Enter(kind)
        return kind

    def annotation(self, module: Module, term: Term) -> Kind | None:
        """Return the kind of what an annotation describes."""
        if term is None:
            return None
        if type(term) is str:
            return self._instance(self.evaluate(module.body, term))
        tag = term[0]
        if tag == CONSTANT and isinstance(term[1], str):
            return self._quoted(module, term[1])
        if tag == ATTRIBUTE:
            return self._instance(self.evaluate(module.body, term))
        if tag == OPERATION:  # X | None
            return self.annotation(module, term[2]) or self.annotation(module, term[3])
        if tag == SUBSCRIPT:
            return self._generic(module, term)
        return None

    def _generic(self, module: Module, term: Term) -> Kind | None:
        base = self.evaluate(module.body, term[1])
        name = base.name if isinstance(base, Ext) else term[1] if type(term[1]) is str else ""
        index = term[2]
        first = index[2][0] if type(index) is tuple and index[0] == SEQUENCE and index[2] else index
        if name in TRANSPARENT:
            return self.annotation(module, first)
        if name in QUERYSET_ALIASES:
            inner = self.annotation(module, first)
            return QuerySet(inner.cls if isinstance(inner, Inst) else None)
        if name in MANY:
            return Many(self.annotation(module, first))
        return self._instance(base)

    def _quoted(self, module: Module, text: str) -> Kind | None:
        name = text.partition("[")[0].partition("|")[0].strip()
        if not name.replace(".", "").isidentifier():
            return None
        head, *rest = name.split(".")
        kind = self.of_module(module, head)
        for part in rest:
            kind = self.member(kind, part)
        return self._instance(kind)

    def _instance(self, kind: Kind | None) -> Kind | None:
        match kind:
            case ClassRef():
                return self.instance(kind.cls)
            case Ext() if kind.name in QUERYSET_ALIASES:
                return QuerySet(None)
            case Ext() if kind.name.rpartition(".")[2][:1].isupper():
                return ExtInst(kind.name)
        return None

    def instance(self, cls: Class) -> Kind:
        """Return an object of a class of the project."""
        return Inst(cls)


def is_sensitive(term: Term) -> bool:
    """Tell whether a call of `sync_to_async` keeps `thread_sensitive=True`, the default."""
    if type(term) is not tuple or term[0] != CALL:
        return True
    return not any(
        name == "thread_sensitive" and value == (CONSTANT, False) for name, value in term[3]
    )


def _without_arguments(base: Term) -> Term:
    """Return a base class as a name: `Generic[T]` is Generic."""
    return base[1] if type(base) is tuple and base[0] == SUBSCRIPT else base


def _assigned(body: Terms) -> Iterator[tuple[str, Term, Term]]:
    for term in body:
        tag = term[0]
        if tag == ASSIGN:
            for target in term[1]:
                if type(target) is str:
                    yield target, None, term[2]
        elif tag == ANNOTATED and type(term[1]) is str:
            yield term[1], term[2], term[3]
        elif tag == IF:
            yield from _assigned((*term[2], *term[3]))
        elif tag == TRY:
            inside = [each for _, handler in term[2] for each in handler]
            yield from _assigned((*term[1], *inside, *term[3], *term[4]))
        elif tag == WITH:
            yield from _assigned(term[2])
        elif tag == FOR:
            yield from _assigned(term[3])


def _returned(body: Terms) -> Iterator[tuple[int, Term]]:
    from freeloop.source.code.terms import RETURN

    for term in body:
        if term[0] == RETURN:
            yield term[2], term[1]
        elif term[0] == IF:
            yield from _returned((*term[2], *term[3]))
