"""Sites: what happens at one place of a function's body, as far as rules may ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from freeloop.model.finding import Guard
from freeloop.source.code.index import Func
from freeloop.source.code.kinds import Kind
from freeloop.source.code.spelling import written
from freeloop.source.code.terms import Term

_ORDER = (Guard.NONE, Guard.BRANCH, Guard.CACHE, Guard.SETTING, Guard.RARE, Guard.LOADED,
          Guard.AFTER)  # fmt: skip
_WEIGHT = {guard: weight for weight, guard in enumerate(_ORDER)}


class What(StrEnum):
    """What happens.

    CALL: a call. READ: an attribute that runs code when it is read. ITERATE: a loop, or a function
    that takes all items. TEST: a truth test. ENTER: a `with` block begins. AWAIT: the task may be
    suspended. RETURN: the function returns. MISUSED: a coroutine is used as if it were its result.
    WRITE: an attribute, or a global name, is set.
    """

    CALL = "call"
    READ = "read"
    ITERATE = "iterate"
    TEST = "test"
    ENTER = "enter"
    AWAIT = "await"
    RETURN = "return"
    MISUSED = "misused"
    WRITE = "write"


class Use(StrEnum):
    """What becomes of the value of a call."""

    AWAITED = "awaited"
    STATEMENT = "statement"
    ASSIGNED = "assigned"
    ARGUMENT = "argument"
    RETURNED = "returned"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Held:
    """A `with` block around a site.

    Attributes:
        kind: Of its context manager.
        text: As written.
        line: Where it begins.
        is_async: Whether `async with`.
    """

    kind: Kind | None
    text: str
    line: int
    is_async: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of a parameter, for a place in the function to be reached.

    Attributes:
        parameter: Its name.
        operator: "" for its truth, otherwise that of a comparison.
        other: What it is compared with.
        holds: Whether the test must hold, or must not.
    """

    parameter: str
    operator: str
    other: Term
    holds: bool

    @property
    def opposite(self) -> Condition:
        """The condition that holds when this one does not."""
        return Condition(self.parameter, self.operator, self.other, not self.holds)


@dataclass(slots=True, eq=False)
class Site:
    """One thing that happens in a function.

    Attributes:
        what: Which.
        func: Function that it happens in.
        line: From 1.
        column: From 0.
        end_line: Last line of a call.
        term: What is written there; a rule that makes a site of its own gives a text.
        target: What is called, read, iterated, tested, entered, awaited.
        result: What it gives.
        use: What becomes of it.
        guard: What stands before it in this function.
        arguments: Kinds of positional arguments.
        keywords: Kinds of named arguments.
        held: Blocks around it, the outermost first.
        looped: Whether it is inside a loop or comprehension.
        assigned: Name or `self.name` that the value is given to; "" otherwise.
        call: The term of a call.
        given_to: What is called with its value.
        given: What must hold of the function's parameters.
        passes: Names that still are what the function was given.
        block: Numbers of the blocks around it, the outermost first.
        loaded: What a thread has looked at on every way to here, as written.
    """

    what: What
    func: Func
    line: int
    column: int
    term: Term
    target: Kind | None
    guard: Guard = Guard.NONE
    use: Use = Use.OTHER
    end_line: int = 0
    result: Kind | None = None
    arguments: tuple[Kind | None, ...] = ()
    keywords: Mapping[str, Kind | None] = field(default_factory=dict)
    held: tuple[Held, ...] = ()
    looped: bool = False
    assigned: str = ""
    call: Term = None
    given_to: Kind | None = None
    given: tuple[Condition, ...] = ()
    passes: frozenset[str] = frozenset()
    block: tuple[int, ...] = ()
    loaded: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """As written, without arguments: "session.get"."""
        return written(self.term)


def stronger(one: Guard, other: Guard) -> Guard:
    """Return the guard that leaves less through."""
    return one if _WEIGHT[one] >= _WEIGHT[other] else other


def weight(guard: Guard) -> int:
    """Return 0 for what always happens, more for what rarely does."""
    return _WEIGHT[guard]
