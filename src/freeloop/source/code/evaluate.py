"""Expressions of one function, in the order they run: kinds, and the sites that rules ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from freeloop.model.finding import Guard
from freeloop.source.code.builtin import BUILTINS, CALLERS, CONSUMERS, OF_COROUTINE
from freeloop.source.code.conditions import unloaded
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import (
    NOTHING,
    ClassRef,
    Coroutine,
    Ext,
    ExtInst,
    ExtMethod,
    FuncRef,
    Generator,
    Inst,
    Kind,
    LambdaRef,
    Many,
    QuerySet,
    Text,
    after_fetching,
    asks,
)
from freeloop.source.code.lazy import comes_with_user, looked_at, looked_at_by
from freeloop.source.code.relations import may_be_loaded
from freeloop.source.code.results import is_lazy_user, item_of
from freeloop.source.code.sites import Site, Use, What
from freeloop.source.code.spelling import line_of, written
from freeloop.source.code.standing import Standing
from freeloop.source.code.surroundings import Surroundings
from freeloop.source.code.terms import (
    ATTRIBUTE,
    AWAIT,
    BOOLEAN,
    CALL,
    CHOICE,
    COMPARE,
    COMPREHENSION,
    CONSTANT,
    DICT,
    LAMBDA,
    NAMED,
    OPERATION,
    PARTS,
    SEQUENCE,
    SLICE,
    STARRED,
    SUBSCRIPT,
    YIELD,
    Term,
)


class Evaluator(Standing):
    """Evaluates expressions of a function.

    Attributes:
        func: Whose.
        env: Kinds of its local names, as far as the walk has come.
        sites: What was seen.
    """

    def __init__(self, program: Surroundings, func: Func, env: dict[str, Kind | None]) -> None:
        """Evaluate in an environment; `program` answers what lies outside of the function."""
        super().__init__()
        self.program = program
        self.func = func
        self.env = env
        self._module = program.resolver.kinds_of(func.module)
        self.sites: list[Site] = []

    def visit(self, term: Term, use: Use = Use.OTHER, assigned: str = "") -> Kind | None:
        """Return the kind of a term; what happens on the way is added to the sites."""
        if term is None:
            return None
        if type(term) is str:
            env = self.env
            return env[term] if term in env else self.name(term)
        return _HANDLERS[term[0]](self, term, use, assigned)

    def name(self, name: str) -> Kind | None:
        """Return the kind of a name."""
        if name in self.env:
            return self.env[name]
        if self.func.outer is None:
            # Most names are of the module, and were asked for before.
            kinds = self._module
            kind = kinds[name] if name in kinds else self.program.outside(self.func, name)
        else:
            kind = self.program.outside(self.func, name)
        if kind is None and name in BUILTINS:
            return Ext(name)
        return kind

    def note(self, what: What, line: int, column: int, term: Term, target: Kind | None) -> Site:
        """Add a site where the walk is, and return it."""
        site = Site(
            what, self.func, line, column, term, target, self.guard, held=self.held,
            looped=self.looped, given=self.given, passes=self.passes, block=self.around,
            loaded=self.loaded,
        )  # fmt: skip
        self.sites.append(site)
        return site

    def _constant(self, term: Term, use: Use, assigned: str) -> Kind | None:
        return Text(term[1]) if type(term[1]) is str else NOTHING

    def _attribute(self, term: Term, use: Use, assigned: str) -> Kind | None:
        _, base, name, line, column = term
        kind = self.visit(base)
        if kind is None:
            return None
        if type(kind) is Coroutine:
            if name not in OF_COROUTINE and not kind.task:
                self.note(What.MISUSED, line, column, base, kind)
            return None
        if type(kind) is ExtInst and is_lazy_user(kind):
            user = written(base)
            if user not in self.loaded:
                site = self.note(What.READ, line, column, term, kind)
                site.given += unloaded(user, self.passes)
            return None
        attributes = self.program.attributes
        if type(kind) is Inst:
            model = attributes.foreign_key(kind, name)
            if model is not None and not may_be_loaded(self.sites, base, name):
                self.note(What.READ, line, column, term, QuerySet(model))
                self._loaded(base, name)
            getter = attributes.property_of(kind, name)
            if getter is not None:
                self.note(What.READ, line, column, term, FuncRef(getter, kind))
                return self.program.returned(getter)
        return attributes.of(kind, name)

    def _loaded(self, base: Term, name: str) -> None:
        """Remember that a relation of a row in a variable was read: Django keeps what it got."""
        kind = self.env.get(base) if type(base) is str else None
        if isinstance(kind, Inst):
            self.env[base] = replace(kind, related=kind.related | {name})

    def _call(self, term: Term, use: Use, assigned: str) -> Kind | None:
        _, callee, arguments, keywords, line, column, end_line = term
        if callee == "super" and not arguments:
            return self.program.superclass(self.func)
        target = self.visit(callee)
        first = len(self.sites)
        given = tuple([self.visit(each, Use.ARGUMENT) for each in arguments]) if arguments else ()
        named = self._named_arguments(keywords) if keywords else {}
        if target is None:
            return None
        if type(target) is Coroutine and not target.task:
            self.note(What.MISUSED, line, column, callee, target)
        for each in self.sites[first:]:
            if each.use is Use.ARGUMENT and each.given_to is None:
                each.given_to = target
        site = self.note(What.CALL, line, column, callee, target)
        site.end_line, site.arguments, site.keywords = end_line, given, named
        site.use, site.assigned, site.call = use, assigned, term
        result = self.program.called(target, given, named, line)
        if type(target) is Ext:
            self._builtin(target.name, given, named, term)
        elif type(target) is LambdaRef:
            result = self.visit(target.term[2])
        elif type(target) is ExtMethod:
            site.given += unloaded(comes_with_user(callee), self.passes)
        self.loaded |= looked_at(site)
        site.result = result
        return result

    def _named_arguments(self, keywords: Term) -> dict[str, Kind | None]:
        found = {name or "**": self.visit(each, Use.ARGUMENT) for name, each in keywords}
        if ("thread_sensitive", (CONSTANT, False)) in keywords:
            found["thread_sensitive"] = Text("False")
        return found

    def _builtin(
        self, name: str, given: tuple[Kind | None, ...], named: dict[str, Kind | None], term: Term
    ) -> None:
        if name in CALLERS:
            for each in (*given[:1], named.get("key")):
                if isinstance(each, LambdaRef):
                    self.visit(each.term[2])
                elif isinstance(each, FuncRef):
                    site = self.note(What.CALL, term[4], term[5], each.func.last_name, each)
                    site.result = self.program.called(each, (), {}, term[4])
        if name in CONSUMERS:
            for kind, argument in zip(given, term[2], strict=False):
                self.iterate(kind, argument, term[4], term[5])

    def iterate(self, kind: Kind | None, term: Term, line: int, column: int) -> None:
        """Note that all items of a thing are taken, when that runs code."""
        if type(kind) is Coroutine and not kind.task:
            self.note(What.MISUSED, line, column, term, kind)
        elif type(kind) is Generator or asks(kind):
            self.note(What.ITERATE, line, column, term, kind)

    def test(self, term: Term, line: int = 0) -> None:
        """Evaluate a condition: a queryset runs its query to tell whether it is empty."""
        inner = term
        while type(inner) is tuple and inner[0] == PARTS and inner[1] == "not":
            inner = inner[2][0]
        if type(inner) is tuple and inner[0] == BOOLEAN:
            self._tested(inner, line)
            self.loaded_if = self.loaded if inner is not term else self.loaded_if
            return
        kind = self.visit(term)
        self.loaded_if = self.loaded
        if type(inner) is str:
            kind = self.name(inner)
        line = line or line_of(inner) or (self.sites[-1].line if self.sites else self.func.line)
        if asks(kind):
            self.note(What.TEST, line, 0, inner, kind)
        elif isinstance(kind, Coroutine) and not kind.task:
            self.note(What.MISUSED, kind.line, 0, inner, kind)

    def _tested(self, term: Term, line: int) -> None:
        """Test each part of `a and b`; the later ones may not be reached."""
        first, *rest = term[1]
        self.test(first, line)
        before = self.enter(Guard.BRANCH, first, holds=term[2])
        for each in rest:
            self.test(each, line)
        loaded = self.loaded
        self.leave(before)
        self.loaded_if = loaded if term[2] else self.loaded

    def _await(self, term: Term, use: Use, assigned: str) -> Kind | None:
        kind = self.visit(term[1], Use.AWAITED)
        site = self.note(What.AWAIT, term[2], term[3], term[1], kind)
        site.result = kind.result if isinstance(kind, Coroutine) else None
        call = self.sites[-2] if len(self.sites) > 1 else site
        if call.call is term[1] and type(kind) is Coroutine and type(kind.of) is FuncRef:
            self.loaded |= looked_at_by(self.program, call, kind.of.func)
        return site.result

    def _lambda(self, term: Term, use: Use, assigned: str) -> Kind | None:
        return LambdaRef(self.func, term)

    def _comprehension(self, term: Term, use: Use, assigned: str) -> Kind | None:
        _, kind, elements, generators, line, column = term
        before = dict(self.env)
        looped, self.looped = self.looped, True
        for target, iterable, conditions, is_async in generators:
            source = self.visit(iterable, Use.AWAITED if is_async else Use.OTHER)
            if is_async:
                self.note(What.AWAIT, line, column, iterable, source)
                before.update(after_fetching(iterable, source))
            elif kind != "generator":
                self.iterate(source, iterable, line, column)
            self.bind(target, item_of(source))
            for each in conditions:
                self.test(each)
        items = [self.visit(each) for each in elements]
        self.env = before
        self.looped = looped
        return Many(items[-1])

    def _sequence(self, term: Term, use: Use, assigned: str) -> Kind | None:
        kinds = [self.visit(each, Use.ARGUMENT) for each in term[2]]
        found = {kind for kind in kinds if kind is not None and kind is not NOTHING}
        return Many(found.pop() if len(found) == 1 else None)

    def _dict(self, term: Term, use: Use, assigned: str) -> Kind | None:
        keys = [self.visit(key) for key in term[1]]
        values = [self.visit(each, Use.ARGUMENT) for each in term[2]]
        first = next((kind for kind in values if isinstance(kind, QuerySet)), None)
        pairs = zip(keys, values, strict=True)
        return Many(first, tuple([(key.value, kind) for key, kind in pairs if type(key) is Text]))

    def _operation(self, term: Term, use: Use, assigned: str) -> Kind | None:
        left, right = self.visit(term[2]), self.visit(term[3])
        for kind, side in ((left, term[2]), (right, term[3])):
            if isinstance(kind, Coroutine) and not kind.task:
                self.note(What.MISUSED, kind.line, 0, side, kind)
        if term[1] == "Div" and isinstance(left, ExtInst):
            return left  # pathlib's slash
        if term[1] in ("BitOr", "BitAnd") and isinstance(left, QuerySet):
            return left
        return None

    def _boolean(self, term: Term, use: Use, assigned: str) -> Kind | None:
        first, *rest = term[1]
        self.test(first)
        kind: Kind | None = None
        before = self.enter(Guard.BRANCH, first, holds=term[2])
        for each in rest:
            kind = self.visit(each) or kind
        self.leave(before)
        return kind

    def _compare(self, term: Term, use: Use, assigned: str) -> Kind | None:
        kinds = [self.visit(each) for each in term[2]]
        if term[1] in ("In", "NotIn") and len(kinds) > 1:
            line = line_of(term[2][1]) or line_of(term[2][0])
            if line:
                self.iterate(kinds[1], term[2][1], line, 0)
        elif term[1] not in ("Is", "IsNot"):
            for kind, each in zip(kinds, term[2], strict=True):
                if isinstance(kind, Coroutine) and not kind.task:
                    self.note(What.MISUSED, kind.line, 0, each, kind)
        return NOTHING

    def _choice(self, term: Term, use: Use, assigned: str) -> Kind | None:
        self.test(term[1])
        kinds = []
        for each, holds in zip(term[2:], (True, False), strict=True):
            before = self.enter(Guard.BRANCH, term[1], holds=holds)
            kinds.append(self.visit(each, use, assigned))
            self.leave(before)
        return next((kind for kind in kinds if kind is not None and kind is not NOTHING), None)

    def _subscript(self, term: Term, use: Use, assigned: str) -> Kind | None:
        _, base, index, line, column = term
        kind = self.visit(base)
        self.visit(index)
        if isinstance(kind, Coroutine) and not kind.task:
            self.note(What.MISUSED, line, column, base, kind)
        if isinstance(kind, QuerySet):
            if type(index) is tuple and index[0] == SLICE:
                return kind
            if asks(kind):
                self.note(What.ITERATE, line, column, base, kind)
        if isinstance(kind, Ext | ClassRef):
            return kind  # a generic class
        return item_of(kind)

    def _starred(self, term: Term, use: Use, assigned: str) -> Kind | None:
        kind = self.visit(term[1], use)
        line = line_of(term[1])
        if line:
            self.iterate(kind, term[1], line, 0)
        return kind if isinstance(kind, Many) else None

    def _named(self, term: Term, use: Use, assigned: str) -> Kind | None:
        kind = self.visit(term[2], Use.ASSIGNED, term[1])
        self.bind(term[1], kind)
        return kind

    def _parts(self, term: Term, use: Use, assigned: str) -> Kind | None:
        for each in term[2]:
            kind = self.visit(each)
            if term[1] == "text" and isinstance(kind, Coroutine) and not kind.task:
                self.note(What.MISUSED, kind.line, 0, each, kind)
        return NOTHING

    def _yield(self, term: Term, use: Use, assigned: str) -> Kind | None:
        kind = self.visit(term[1])
        if term[3]:
            self.iterate(kind, term[1], term[2], 0)
        return None

    def _slice(self, term: Term, use: Use, assigned: str) -> Kind | None:
        for each in term[1]:
            self.visit(each)
        return None

    def bind(self, target: Term, kind: Kind | None) -> None:
        """Give a kind to a name, or to none where it is taken apart."""
        if type(target) is str:
            self.set_anew(target)
            if kind is NOTHING and self.env.get(target) is not None:
                return
            self.env[target] = kind
        elif type(target) is tuple:
            if target[0] == SEQUENCE:
                for each in target[2]:
                    self.bind(each, item_of(kind) if isinstance(kind, Many) else None)
            elif target[0] == STARRED:
                self.bind(target[1], None)


# Looked up by tag; made once, because evaluators are made by the thousand.
_HANDLERS: dict[int, Callable[[Evaluator, Term, Use, str], Kind | None]] = {
    ATTRIBUTE: Evaluator._attribute,
    CALL: Evaluator._call,
    CONSTANT: Evaluator._constant,
    AWAIT: Evaluator._await,
    LAMBDA: Evaluator._lambda,
    COMPREHENSION: Evaluator._comprehension,
    SEQUENCE: Evaluator._sequence,
    DICT: Evaluator._dict,
    OPERATION: Evaluator._operation,
    BOOLEAN: Evaluator._boolean,
    COMPARE: Evaluator._compare,
    CHOICE: Evaluator._choice,
    SUBSCRIPT: Evaluator._subscript,
    STARRED: Evaluator._starred,
    NAMED: Evaluator._named,
    PARTS: Evaluator._parts,
    YIELD: Evaluator._yield,
    SLICE: Evaluator._slice,
}
