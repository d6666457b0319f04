"""The program: walks functions when they are first asked for, and keeps what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from freeloop.knowledge.blocking import Knowledge
from freeloop.source.code.attributes import REQUEST, Attributes
from freeloop.source.code.builtin import BUILTINS
from freeloop.source.code.index import MODULE_BODY, Class, Func, Index
from freeloop.source.code.kinds import (
    NOTHING,
    ClassRef,
    Coroutine,
    Ext,
    ExtInst,
    FuncRef,
    Inst,
    Kind,
    Lent,
    QuerySet,
)
from freeloop.source.code.lazy import may_look
from freeloop.source.code.named import Named
from freeloop.source.code.resolve import Resolver
from freeloop.source.code.results import Results
from freeloop.source.code.sites import Site
from freeloop.source.code.terms import Term
from freeloop.source.code.walk import Walk, Walker

# Deeper than this, what a call returns is only told by annotations: real chains are shorter, and
# Python's own stack must suffice.
DEEPEST = 25


class Program:
    """A project's code with kinds and sites.

    Attributes:
        index: Its modules.
        resolver: Its names.
        attributes: Its attributes.
        named: What its files name.
    """

    def __init__(self, index: Index, knowledge: Knowledge) -> None:
        """Make a program of an index; nothing is walked yet."""
        self.index = index
        self.named = Named(index)
        self.knowledge = knowledge
        self.resolver = Resolver(index, knowledge)
        self.resolver.evaluate = self.evaluate
        self.attributes = Attributes(self.resolver)
        self._results = Results(self.resolver, self.attributes, self.returned)
        self._walks: dict[Func, Walk] = {}
        self._walking: dict[Func, Walker] = {}
        self._returns: dict[Func, Kind | None] = {}
        self._may_look: dict[Func, bool] = {}
        self._parameters: dict[tuple[Func, str], Kind] = {}

    def walk(self, func: Func) -> Walk:
        """Return what a walk over a function found; half of it while the walk is under way."""
        done = self._walks.get(func)
        if done is not None:
            return done
        under_way = self._walking.get(func)
        if under_way is not None:
            return Walk(under_way.sites, under_way.env, under_way.returned)
        walker = self._walking[func] = Walker(self, func, self._first_env(func))
        try:
            found = self._walks[func] = walker.walk()
        finally:
            del self._walking[func]
        return found

    def sites(self, func: Func) -> list[Site]:
        """Return the sites of a function."""
        return self.walk(func).sites

    def evaluate(self, func: Func, term: Term) -> Kind | None:
        """Return the kind of a term as it stands in a function; no site is added."""
        if term is None:
            return None
        if func.name == MODULE_BODY:
            if type(term) is str:
                found = self.resolver.of_module(func.module, term)
                return Ext(term) if found is None and term in BUILTINS else found
            return Walker(self, func, {}).visit(term)
        under_way = self._walking.get(func)
        if under_way is not None:
            # The decorator of an inner function may have been imported a line above it.
            env = under_way.env
        elif len(self._walking) > DEEPEST:
            env = self._first_env(func)
        else:
            env = self.walk(func).env
        return Walker(self, func, dict(env)).visit(term)

    def outside(self, func: Func, name: str) -> Kind | None:
        """Return what a name stands for that a function does not set itself."""
        outer = func.outer
        while outer is not None:
            env = self.walk(outer).env
            if name in env:
                return env[name]
            outer = outer.outer
        return self.resolver.of_module(func.module, name)

    def returned(self, func: Func) -> Kind | None:
        """Return the kind of what a function returns, or its awaiting gives."""
        if func in self._returns:
            return self._returns[func]
        kind = self.resolver.annotation(func.module, func.returns)
        told = isinstance(kind, Inst) and self.resolver.is_model(kind.cls)
        if (kind is None or told) and not func.yields:
            if func in self._walking or len(self._walking) > DEEPEST:
                return kind
            found = _likely(self.walk(func).returned)
            # The body tells more of a row than its class: which relations the query loaded.
            if kind is None or (isinstance(found, Inst) and found.queried):
                kind = found
        self._returns[func] = kind
        return kind

    def loaded(self, func: Func) -> frozenset[str]:
        """Return what of its parameters a thread has looked at whenever a function returns."""
        may = self._may_look.get(func)
        if may is None:
            may = self._may_look[func] = may_look(func)
        if not may or func in self._walking or len(self._walking) > DEEPEST:
            return frozenset()
        return self.walk(func).loaded

    def lent(self, func: Func) -> Kind | None:
        """Return what a context manager made from a generator gives to `as`."""
        term = func.returns
        if type(term) is tuple and len(term) > 2 and term[0] == 13:
            return self.resolver.annotation(func.module, _first(term[2]))
        return None

    def called(
        self,
        target: Kind | None,
        arguments: Sequence[Kind | None],
        keywords: Mapping[str, Kind | None],
        line: int,
    ) -> Kind | None:
        """Return what a call gives; what it is given becomes known to the function called."""
        if isinstance(target, FuncRef):
            self._give(target, arguments, keywords)
        elif isinstance(target, Lent):
            return target
        return self._results.of(target, arguments, keywords, line)

    def superclass(self, func: Func) -> Kind | None:
        """Return what `super()` is in a method: the base as if it were the object itself."""
        around: Func | None = func
        while around is not None and around.cls is None:
            around = around.outer
        if around is None or around.cls is None:
            return None
        order = self.resolver.mro(around.cls)[1:]
        base = next((each for each in order if isinstance(each, Class)), None)
        if base is not None:
            return Inst(base)
        library = next((each for each in order if isinstance(each, str)), None)
        return None if library is None else ExtInst(library)

    def _give(
        self,
        target: FuncRef,
        arguments: Sequence[Kind | None],
        keywords: Mapping[str, Kind | None],
    ) -> None:
        """Remember the first kinds that a function without annotations is called with."""
        func = target.func
        if func in self._walks:
            return
        names = [name for name, _ in func.parameters]
        if target.owner is not None and names:
            names = names[1:]
        for name, kind in (*zip(names, arguments, strict=False), *keywords.items()):
            if kind is not None and kind is not NOTHING and not isinstance(kind, Coroutine):
                self._parameters.setdefault((func, name), kind)

    def _first_env(self, func: Func) -> dict[str, Kind | None]:
        env: dict[str, Kind | None] = {}
        for number, (name, annotation) in enumerate(func.parameters):
            kind = self.resolver.annotation(func.module, annotation)
            given = self._parameters.get((func, name))
            if isinstance(given, Inst) and isinstance(kind, Inst) and given.cls is kind.cls:
                kind = given
            if kind is None and number == 0 and func.cls is not None:
                kind = self._self(func)
            if kind is None:
                kind = given
            if kind is None and name == "request":
                kind = ExtInst(REQUEST)
            env[name] = kind
        return env

    def _self(self, func: Func) -> Kind | None:
        assert func.cls is not None
        if not func.decorators:
            return Inst(func.cls)
        names = {name for name, _, _ in self.resolver.decorator_names(func)}
        if "staticmethod" in names:
            return None
        return ClassRef(func.cls) if "classmethod" in names else Inst(func.cls)


def _likely(kinds: Sequence[Kind | None]) -> Kind | None:
    """Return what a function gives back; no rows to be asked for where it may give others.

    It returns what was loaded before, or else a queryset: which of them is not known.
    """
    found = next((each for each in kinds if _tells(each)), None)
    if None not in kinds:
        return found
    if isinstance(found, QuerySet):
        return None
    return replace(found, queried=False) if isinstance(found, Inst) else found


def _tells(kind: Kind | None) -> bool:
    return kind is not None and kind is not NOTHING


def _first(term: Term) -> Term:
    """Return the first item of a subscript such as `AsyncIterator[Session]`."""
    return term[2][0] if type(term) is tuple and term[0] == 7 and term[2] else term
