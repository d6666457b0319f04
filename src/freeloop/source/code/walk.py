"""The body of one function, statement by statement: its sites, and what stands before each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from freeloop.model.finding import Guard
from freeloop.source.code.conditions import leaves
from freeloop.source.code.evaluate import Evaluator
from freeloop.source.code.guards import (
    asks_auser,
    asks_setting,
    guard_of_handler,
    guard_of_test,
    leaves_when_kept,
)
from freeloop.source.code.index import Func
from freeloop.source.code.instances import fields, fixed_attributes
from freeloop.source.code.kinds import (
    NOTHING,
    ClassRef,
    Ext,
    ExtInst,
    Inst,
    Kind,
    Lent,
    after_fetching,
    merged,
)
from freeloop.source.code.results import item_of
from freeloop.source.code.sites import Held, Site, Use, What, stronger
from freeloop.source.code.spelling import written
from freeloop.source.code.surroundings import Surroundings
from freeloop.source.code.terms import (
    ANNOTATED,
    ASSIGN,
    ATTRIBUTE,
    AUGMENT,
    CLASS,
    COMPARE,
    EXPRESSION,
    FOR,
    FUNCTION,
    GLOBAL,
    IF,
    IMPORT,
    MATCH,
    RAISE,
    RETURN,
    SEQUENCE,
    SUBSCRIPT,
    TRY,
    WHILE,
    WITH,
    Term,
    Terms,
)


@dataclass(slots=True)
class Walk:
    """What one walk over a function found.

    Attributes:
        sites: In the order of the code.
        env: Kinds of local names at the end.
        returned: Kinds of what it returns.
        loaded: What of its parameters a thread has looked at whenever it returns.
    """

    sites: list[Site] = field(default_factory=list)
    env: dict[str, Kind | None] = field(default_factory=dict)
    returned: list[Kind | None] = field(default_factory=list)
    loaded: frozenset[str] = frozenset()


class Walker(Evaluator):
    """Walks one function."""

    def __init__(self, program: Surroundings, func: Func, env: dict[str, Kind | None]) -> None:
        """Walk in an environment that holds the parameters."""
        super().__init__(program, func, env)
        self.returned: list[Kind | None] = []
        self._exits: list[frozenset[str]] = []
        self._globals: set[str] = set()

    def walk(self) -> Walk:
        """Walk the whole body."""
        self.passes = self.func.names | self._fixed()
        for term in self.func.body:
            self._statement(term)
        if not leaves(self.func.body):
            self._exit()
        loaded = frozenset.intersection(*self._exits) if self._exits else frozenset[str]()
        return Walk(self.sites, self.env, self.returned, loaded)

    def _exit(self) -> None:
        """Remember what is loaded where the function returns."""
        self._exits.append(
            frozenset([each for each in self.loaded if each.partition(".")[0] in self.passes])
        )

    def _fixed(self) -> set[str]:
        """Return the attributes of its own object that stay what they were given: "self.deep"."""
        cls, own = self.func.cls, self.func.own
        if cls is None or not own:
            return set()
        init = cls.methods.get("__init__") if cls.given else None
        names = fields(cls) if init is None else fixed_attributes(init)
        return {f"{own}.{name}" for name in names}

    def block(
        self, body: Terms, guard: Guard = Guard.NONE, test: Term = None, *, holds: bool = True
    ) -> None:
        """Walk statements behind a guard."""
        before = self.enter(guard, test, holds=holds)
        for term in body:
            self._statement(term)
        self.leave(before)

    def _statement(self, term: Term) -> None:
        _STATEMENTS[term[0]](self, term)
        if term[0] == IF:
            self._go_on(term)

    def _go_on(self, term: Term) -> None:
        """Remember what is known after an `if`, one of whose branches returns."""
        if leaves_when_kept(term):
            self.guard = stronger(self.guard, Guard.CACHE)
        for body, holds in ((term[2], False), (term[3], True)):
            if leaves(body):
                self.learn(term[1], holds=holds)
                if asks_setting(self, term[1]):
                    self.guard = stronger(self.guard, Guard.SETTING)

    def _expression(self, term: Term) -> None:
        self.visit(term[1], Use.STATEMENT)

    def _assign(self, term: Term) -> None:
        _, targets, value, line = term
        names = [each for each in targets if type(each) is str]
        assigned = names[0] if names else written(targets[0])
        kind = self.visit(value, Use.ASSIGNED, assigned)
        for target in targets:
            self._write(target, line)
            self.bind(target, kind)

    def _annotated(self, term: Term) -> None:
        _, target, annotation, value, line = term
        kind = self.visit(value, Use.ASSIGNED, written(target))
        if kind is None or kind is NOTHING:
            kind = self.program.resolver.annotation(self.func.module, annotation) or kind
        self._write(target, line)
        self.bind(target, kind)

    def _augment(self, term: Term) -> None:
        self.visit(term[2])
        self._write(term[1], term[3])

    def _write(self, target: Term, line: int) -> None:
        """Note that something is set that others may read."""
        if type(target) is str:
            if target in self._globals:
                self.note(What.WRITE, line, 0, target, None)
        elif target[0] in (ATTRIBUTE, SUBSCRIPT):
            self.note(What.WRITE, line, 0, target, self.visit(target[1]))
        elif target[0] == SEQUENCE:
            for each in target[2]:
                if each is not None:
                    self._write(each, line)

    def _return(self, term: Term) -> None:
        kind = self.visit(term[1], Use.RETURNED)
        self.returned.append(kind)
        self.note(What.RETURN, term[2], 0, term[1], kind)
        self._exit()

    def _if(self, term: Term) -> None:
        _, test, body, otherwise, line = term
        self.test(test, line)
        guard, opposite = guard_of_test(self, test, body)
        before, loaded = dict(self.env), self.loaded
        self.loaded = self.loaded_if
        self.block(body, guard, test)
        self.loaded = loaded
        if leaves(body):
            self.env = before
            self.block(otherwise, opposite, test, holds=False)
            return
        one, self.env = self.env, before
        self.block(otherwise, opposite, test, holds=False)
        self.env = one if leaves(otherwise) or asks_auser(test) else merged(one, self.env)

    def _for(self, term: Term) -> None:
        _, target, iterable, body, otherwise, is_async, line, column = term
        source = self.visit(iterable, Use.AWAITED if is_async else Use.OTHER)
        if is_async:
            self.note(What.AWAIT, line, column, iterable, source)
            self.env.update(after_fetching(iterable, source))
        else:
            self.iterate(source, iterable, line, column)
        self.bind(target, item_of(source))
        looped, self.looped = self.looped, True
        self.block(body)
        self.looped = looped
        self.block(otherwise)

    def _while(self, term: Term) -> None:
        self.test(term[1], term[4])
        looped, self.looped = self.looped, True
        self.block(term[2])
        self.looped = looped
        self.block(term[3])

    def _with(self, term: Term) -> None:
        _, items, body, is_async, line, column = term
        before = self.held
        for each, target in items:
            kind = self.visit(each, Use.OTHER)
            site = self.note(What.ENTER, line, column, each, kind)
            if is_async:
                site.use = Use.AWAITED
                self.note(What.AWAIT, line, column, each, kind)
            self.held = (*self.held, Held(kind, written(each), line, is_async))
            self.bind(target, self._entered(kind))
        self.block(body)
        self.held = before

    def _entered(self, kind: Kind | None) -> Kind | None:
        """Return what `as` gives."""
        match kind:
            case Lent():
                return self.program.lent(kind.of)
            case Inst():
                name = "__aenter__" if self.program.resolver.method(kind.cls, "__aenter__") else (
                    "__enter__")  # fmt: skip
                method = self.program.resolver.method(kind.cls, name)
                found = self.program.returned(method) if method is not None else None
                return found or kind
            case ExtInst() | Ext():
                return kind
            case _:
                pass
        return None

    def _try(self, term: Term) -> None:
        _, body, handlers, otherwise, final, _ = term
        self.block(body)
        for types, handler in handlers:
            self.block(handler, guard_of_handler(types))
        self.block(otherwise)
        self.block(final)

    def _raise(self, term: Term) -> None:
        before = self.guard
        self.guard = stronger(before, Guard.RARE)
        self.visit(term[1])
        self.guard = before

    def _function(self, term: Term) -> None:
        func = self.func.module.functions[term[1]]
        self.env[term[2]] = None
        self.env[term[2]] = self.program.resolver.decorated(func)

    def _class(self, term: Term) -> None:
        self.env[term[2]] = ClassRef(self.func.module.classes[term[1]])

    def _import(self, term: Term) -> None:
        for name, dotted in term[1]:
            self.env[name] = self.program.resolver.dotted(dotted)

    def _match(self, term: Term) -> None:
        self.visit(term[1])
        for body, value in zip(term[2], term[4], strict=True):
            test = None if value is None else (COMPARE, "Eq", (term[1], value))
            self.block(body, Guard.BRANCH, test)

    def _global(self, term: Term) -> None:
        self._globals.update(term[1])


_STATEMENTS: dict[int, Callable[[Walker, Term], None]] = {
    EXPRESSION: Walker._expression,
    ASSIGN: Walker._assign,
    ANNOTATED: Walker._annotated,
    AUGMENT: Walker._augment,
    RETURN: Walker._return,
    IF: Walker._if,
    FOR: Walker._for,
    WHILE: Walker._while,
    WITH: Walker._with,
    TRY: Walker._try,
    RAISE: Walker._raise,
    FUNCTION: Walker._function,
    CLASS: Walker._class,
    IMPORT: Walker._import,
    MATCH: Walker._match,
    GLOBAL: Walker._global,
}
