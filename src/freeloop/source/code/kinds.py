"""Kinds: what a term stands for, as far as reading tells; None where it does not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeGuard

from freeloop.source.code.index import Class, Func
from freeloop.source.code.terms import Term

# Nothing changes a kind once it is made: they are keys and shared. Python would see to that with
# `frozen=True`, which makes each of them three times as slowly, and there are a hundred thousand.

type Kind = (
    FuncRef
    | ClassRef
    | Inst
    | Ext
    | ExtInst
    | ExtMethod
    | ModuleRef
    | LambdaRef
    | Coroutine
    | Offload
    | Enter
    | QuerySet
    | Manager
    | Generator
    | Lent
    | Many
    | Text
    | Nothing
)
type Model = Class | str


@dataclass(slots=True, unsafe_hash=True)
class FuncRef:
    """A function of the project; `owner` is what it is bound to."""

    func: Func
    owner: Kind | None = None
    cached: bool = False


@dataclass(slots=True, unsafe_hash=True)
class ClassRef:
    """A class of the project."""

    cls: Class


@dataclass(slots=True, unsafe_hash=True)
class Inst:
    """An object of a class of the project.

    Attributes:
        cls: Its class.
        queried: Whether a query gave it, so that its foreign keys are not loaded.
        related: Relations that the query loaded, as Django writes them: "guest__address"; "*" for
            all.
    """

    cls: Class
    queried: bool = False
    related: frozenset[str] = frozenset()


@dataclass(slots=True, unsafe_hash=True)
class Ext:
    """A thing of a library by its dotted name: a module, function or class."""

    name: str


@dataclass(slots=True, unsafe_hash=True)
class ExtInst:
    """An object of a library's class.

    Attributes:
        name: Dotted name of the class.
        in_memory: Whether it reads and writes a file in memory: a ZipFile over a BytesIO.
    """

    name: str
    in_memory: bool = False


@dataclass(slots=True, unsafe_hash=True)
class ExtMethod:
    """A method of an object; `owner` is a library's object, or the project's with such a base.

    Attributes:
        owner: The object.
        classes: Dotted names of its class and bases, nearest first.
        name: Of the method.
    """

    owner: Kind
    classes: tuple[str, ...]
    name: str


@dataclass(slots=True, unsafe_hash=True)
class ModuleRef:
    """A module or package of the project."""

    name: str


@dataclass(slots=True, unsafe_hash=True)
class LambdaRef:
    """A lambda; it runs where it is called."""

    func: Func
    term: Term = field(hash=False)


@dataclass(slots=True, unsafe_hash=True)
class Coroutine:
    """What calling an async function gives, until it is awaited.

    Attributes:
        of: What was called.
        result: What awaiting it gives.
        line: Where it was made.
        task: Whether the loop runs it already.
    """

    of: Kind | None
    result: Kind | None = None
    line: int = 0
    task: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Offload:
    """A callable whose call runs in a thread and is awaited: `sync_to_async(f)`.

    Attributes:
        inner: What runs.
        sensitive: Whether in the thread that is kept for the request.
        closes: Whether old connections are closed before and after: `database_sync_to_async(f)`.
    """

    inner: Kind | None
    sensitive: bool = True
    closes: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Enter:
    """A sync callable that runs an async one: `async_to_sync(f)`."""

    inner: Kind | None


@dataclass(slots=True, unsafe_hash=True)
class QuerySet:
    """A lazy query.

    Attributes:
        model: Of its rows; None if not known.
        related: Relations that it loads; as for `Inst`.
        rows: Whether its items are model instances, not `values()`.
        fetched: Whether `async for` has fetched them: asking for them again runs no query.
    """

    model: Model | None
    related: frozenset[str] = frozenset()
    rows: bool = True
    fetched: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Manager:
    """`Model.objects` and the managers of related objects.

    Attributes:
        model: Of its rows; None if not known.
        cls: A manager class of the project; None for Django's.
        may_be_loaded: Whether its rows may have come with their owner (`prefetch_related`), in
            code that reading does not see.
    """

    model: Model | None
    cls: Class | None = None
    may_be_loaded: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Generator:
    """What calling a generator function gives; its body runs where it is iterated."""

    func: Func


@dataclass(slots=True, unsafe_hash=True)
class Lent:
    """A context manager made from a generator function."""

    of: Func


@dataclass(slots=True, unsafe_hash=True)
class Many:
    """A list, tuple, set or dict of things of one kind.

    Attributes:
        item: What it holds.
        named: Of a dict that is written out: its keys, with what they stand for.
    """

    item: Kind | None
    named: tuple[tuple[str, Kind | None], ...] = ()


@dataclass(slots=True, unsafe_hash=True)
class Text:
    """A text that is written in the code."""

    value: str


@dataclass(slots=True, unsafe_hash=True)
class Nothing:
    """None, a number, or a truth value."""


NOTHING = Nothing()


def merged(one: dict[str, Kind | None], other: dict[str, Kind | None]) -> dict[str, Kind | None]:
    """Return what names stand for after either of two branches."""
    both = {name: either(one[name], kind) if name in one else kind for name, kind in other.items()}
    return {**one, **both}


def either(one: Kind | None, other: Kind | None) -> Kind | None:
    """Return what is certain of a thing that is the one or the other; of rows, what is loaded."""
    if one is other:
        return other
    match one, other:
        case Inst(), Inst() if one.cls is other.cls:
            return Inst(one.cls, one.queried and other.queried, one.related | other.related)
        case QuerySet(), QuerySet() if one.model is other.model:
            related, fetched = one.related | other.related, one.fetched or other.fetched
            return QuerySet(one.model, related, one.rows, fetched)
        case (Inst() as row, None) | (None, Inst() as row):
            return replace(row, queried=False)
        case _, None | Nothing():
            return one
        case _:
            return other


def is_in_memory(kind: Kind | None) -> bool:
    """Tell whether it is a file in memory, or works on one."""
    return isinstance(kind, ExtInst) and (
        kind.in_memory or kind.name.endswith(("BytesIO", "StringIO"))
    )


def asks(kind: Kind | None) -> TypeGuard[QuerySet]:
    """Tell whether it is a query whose rows are not there yet."""
    return type(kind) is QuerySet and not kind.fetched


def after_fetching(term: Term, kind: Kind | None) -> dict[str, Kind | None]:
    """Return what a name stands for once `async for` went through it: Django keeps the rows."""
    if type(term) is str and isinstance(kind, QuerySet):
        return {term: replace(kind, fetched=True)}
    return {}
