"""What a call gives, by the kind of what is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from freeloop.source.code.attributes import LAZY_USER, Attributes
from freeloop.source.code.index import Class, Func
from freeloop.source.code.kinds import (
    NOTHING,
    ClassRef,
    Coroutine,
    Enter,
    Ext,
    ExtInst,
    ExtMethod,
    FuncRef,
    Generator,
    Inst,
    Kind,
    Manager,
    Many,
    Model,
    Offload,
    QuerySet,
    Text,
    is_in_memory,
)
from freeloop.source.code.orm import INSTANCE_RUNS, LAZY, ONE_ROW, RUNS, SHORTCUTS
from freeloop.source.code.resolve import CLOSERS, ENTERERS, OFFLOADERS, Resolver

# Give back the first argument, or what it holds.
SAME = frozenset({"functools.partial", "copy.copy", "copy.deepcopy", "asyncio.shield"})
ALL_ITEMS = frozenset({"list", "tuple", "set", "sorted", "frozenset"})
LOOP = "asyncio.AbstractEventLoop"
LOOP_GETTERS = frozenset(
    {"asyncio.get_running_loop", "asyncio.get_event_loop", "asyncio.new_event_loop"}
)
# Classes that are not named like one.
LOWER_CLASSES = frozenset({"threading.local", "socket.socket"})
# Start a task for the coroutine that they are given.
STARTS_TASK = frozenset({"asyncio.create_task", "asyncio.ensure_future"})
TASK_METHODS = frozenset({"create_task", "start_soon"})
# Coroutine functions of the standard library that code forgets to await.
ASYNC_STDLIB = frozenset(
    f"asyncio.{name}"
    for name in [
        "sleep",
        "wait",
        "wait_for",
        "to_thread",
        "gather",
        "open_connection",
        "start_server",
        "create_subprocess_exec",
        "create_subprocess_shell",
        "open_unix_connection",
    ]
) | {"anyio.sleep", "trio.sleep", "anyio.to_thread.run_sync"}
# Async methods of Channels' consumers, by the base classes whose name begins so.
ASYNC_CONSUMER = ("channels.generic.websocket.Async", "channels.generic.http.Async")
OF_CONSUMER = frozenset(
    ["accept", "send", "send_json", "close", "send_response", "send_body", "send_headers"]
)
# Functions of libraries that give an object of another library.
GIVES = {"django_redis.get_redis_connection": "redis.client.Redis"}
# Libraries whose objects work on a file that they are given.
FILES = ("zipfile.", "tarfile.", "gzip.", "bz2.", "lzma.", "io.")
IN_THREAD = frozenset({"asyncio.to_thread", "anyio.to_thread.run_sync"})


class Results:
    """Tells what calls give."""

    def __init__(
        self, resolver: Resolver, attributes: Attributes, returned: Callable[[Func], Kind | None]
    ) -> None:
        """Answer with the help of names, attributes, and what functions return."""
        self.resolver = resolver
        self.attributes = attributes
        self.returned = returned

    def of(
        self,
        callee: Kind | None,
        arguments: Sequence[Kind | None],
        keywords: Mapping[str, Kind | None],
        line: int,
    ) -> Kind | None:
        """Return what a call gives; None if that cannot be told."""
        first = arguments[0] if arguments else None
        match callee:
            case FuncRef():
                return self._of_function(callee, line)
            case ClassRef():
                return Inst(callee.cls)
            case Ext():
                return self._of_library(callee, first, keywords, line)
            case ExtMethod():
                return self._of_method(callee, arguments, keywords, line)
            case Offload():
                # `sync_to_async(thread_sensitive=False)` is a decorator: it waits for its function.
                if callee.inner is None and isinstance(first, FuncRef):
                    return replace(callee, inner=first)
                inner = self.of(callee.inner, arguments, keywords, line)
                return Coroutine(callee, inner, line)
            case Enter():
                inner = self.of(callee.inner, arguments, keywords, line)
                return inner.result if isinstance(inner, Coroutine) else inner
            case ExtInst():
                return None
            case Inst():
                method = self.resolver.method(callee.cls, "__call__")
                return None if method is None else self._of_function(FuncRef(method, callee), line)
            case _:
                pass
        return None

    def _of_function(self, callee: FuncRef, line: int) -> Kind | None:
        func = callee.func
        if func.yields:
            return Generator(func)
        if func.is_async:
            return Coroutine(callee, self._with_owner(callee), line)
        return self._with_owner(callee)

    def _with_owner(self, callee: FuncRef) -> Kind | None:
        """Return what a function returns; a manager's method gives rows of the manager's model."""
        found = self.returned(callee.func)
        owner = callee.owner
        if isinstance(owner, Manager) and isinstance(found, QuerySet) and found.model is None:
            return replace(found, model=owner.model)
        return found

    def _of_library(
        self, callee: Ext, first: Kind | None, keywords: Mapping[str, Kind | None], line: int
    ) -> Kind | None:
        name = callee.name
        made = _of_adapter(callee, first, keywords, line)
        if made is not None:
            return made
        if name in ALL_ITEMS:
            return Many(item_of(first))
        if name in ("next", "anext"):
            return item_of(first)
        if name == "django.contrib.auth.get_user_model":
            return Ext("django.contrib.auth.models.User")
        if name in SHORTCUTS:
            return row_of(first)
        if name in SHORTCUTS.values():
            return Coroutine(callee, row_of(first), line)
        if name in ASYNC_STDLIB or self.is_async_twin(name):
            return Coroutine(callee, None, line)
        made = self._object(name)
        if (
            isinstance(made, ExtInst)
            and name.startswith(FILES)
            and any(map(is_in_memory, (first, *keywords.values())))
        ):
            return replace(made, in_memory=True)
        return made

    def _object(self, name: str) -> Kind | None:
        """Return the object that a library's function or class gives."""
        if name in LOOP_GETTERS:
            return ExtInst(LOOP)
        known = GIVES.get(name) or self.resolver.knowledge.returned(name)
        if known is not None:
            return ExtInst(known)
        is_class = name in LOWER_CLASSES or name.rpartition(".")[2][:1].isupper()
        return ExtInst(name) if is_class else None

    def is_async_twin(self, name: str) -> bool:
        """Tell whether a function of a library is the async twin of another: `aget` of `get`."""
        owner, _, last = name.rpartition(".")
        if len(last) < 3 or not last.startswith("a") or not owner.startswith("django."):
            return False
        known = self.resolver.knowledge.blocking(f"{owner}.{last[1:]}")
        return known is not None and known.twin is not None and known.twin.endswith(f".{last}")

    def _of_method(
        self,
        callee: ExtMethod,
        arguments: Sequence[Kind | None],
        keywords: Mapping[str, Kind | None],
        line: int,
    ) -> Kind | None:
        owner, name = callee.owner, callee.name
        if isinstance(owner, QuerySet | Manager):
            return _of_query(callee, arguments, line)
        if isinstance(owner, ClassRef):
            return _of_manager_class(owner, name, arguments)
        if isinstance(owner, Inst) and self.resolver.is_model(owner.cls):
            if name[1:] in INSTANCE_RUNS and name.startswith("a"):
                return Coroutine(callee, None, line)
            return None
        if isinstance(owner, Inst) and self.resolver.is_manager(owner.cls):
            return _of_query(
                ExtMethod(Manager(None, owner.cls), callee.classes, name), arguments, line
            )
        if name in TASK_METHODS and arguments:
            result = arguments[0].result if isinstance(arguments[0], Coroutine) else None
            return Coroutine(callee, result, line, task=True)
        for cls in callee.classes:
            in_consumer = name in OF_CONSUMER and cls.startswith(ASYNC_CONSUMER)
            if in_consumer or self.is_async_twin(f"{cls}.{name}"):
                return Coroutine(callee, None, line)
            known = self.resolver.knowledge.returned(f"{cls}.{name}")
            if known is not None:
                return ExtInst(known)
        return None


def _of_manager_class(owner: ClassRef, name: str, arguments: Sequence[Kind | None]) -> Kind | None:
    """Return what `QuerySet.as_manager()` and `Manager.from_queryset(...)` give."""
    if name == "as_manager":
        return Inst(owner.cls)
    return arguments[0] if name == "from_queryset" and arguments else None


def _of_adapter(
    callee: Ext, first: Kind | None, keywords: Mapping[str, Kind | None], line: int
) -> Kind | None:
    """Return what functions give that change how another one runs."""
    name = callee.name
    if name in OFFLOADERS:
        sensitive = keywords.get("thread_sensitive") != Text("False")
        return Offload(first, sensitive, name in CLOSERS)
    if name in ENTERERS:
        return Enter(first)
    if name in SAME or name.endswith(".from_queryset"):
        return first
    if name in STARTS_TASK:
        result = first.result if isinstance(first, Coroutine) else None
        return Coroutine(callee, result, line, task=True)
    return None


def _of_query(callee: ExtMethod, arguments: Sequence[Kind | None], line: int) -> Kind | None:
    """Return what a method of a queryset or manager gives."""
    owner, name = callee.owner, callee.name
    related: frozenset[str] = frozenset()
    rows = True
    model: Model | None = None
    match owner:
        case QuerySet():
            model, related, rows = owner.model, owner.related, owner.rows
        case Manager():
            model = owner.model
            if owner.may_be_loaded and name == "all":
                return Many(row_of(owner))
        case _:
            pass
    if name in LAZY:
        if name in ("select_related", "prefetch_related"):
            named = {each.value for each in arguments if isinstance(each, Text)}
            # Without names, or with Prefetch objects: trust that it loads what is needed.
            related = related | named if len(named) == len(arguments) > 0 else frozenset({"*"})
        rows = rows and name not in ("values", "values_list", "dates", "datetimes")
        return QuerySet(model, related, rows)
    one = _one_row(name, QuerySet(model, related, rows))
    if name in ONE_ROW:
        return one
    if name.startswith("a") and name[1:] in RUNS:
        return Coroutine(callee, one, line)
    if name == "iterator" or name == "aiterator":
        return QuerySet(model, related, rows)
    return NOTHING if name in RUNS else None


def _one_row(name: str, given: QuerySet) -> Kind | None:
    """Return what a method gives that gives one row, or its async twin."""
    name = name if name in ONE_ROW else name.removeprefix("a")
    if name not in ONE_ROW or "_or_" in name:
        return None
    row = row_of(given)
    # A new row has the related objects that it was made with.
    return replace(row, queried=False) if name == "create" and isinstance(row, Inst) else row


def row_of(kind: Kind | None) -> Kind | None:
    """Return one row of a queryset, a manager, or all rows of a model."""
    match kind:
        case QuerySet() if isinstance(kind.model, Class) and kind.rows:
            return Inst(kind.model, queried="*" not in kind.related, related=kind.related)
        case QuerySet() if isinstance(kind.model, str) and kind.rows:
            return ExtInst(kind.model)
        case Manager():
            return row_of(QuerySet(kind.model))
        case ClassRef():
            return Inst(kind.cls, queried=True)
        case _:
            pass
    return None


def item_of(kind: Kind | None) -> Kind | None:
    """Return what iterating over a thing of this kind gives."""
    match kind:
        case QuerySet() | Manager():
            return row_of(kind)
        case Many():
            return kind.item
        case ExtMethod():
            return None
        case _:
            pass
    return None


def is_lazy_user(kind: Kind | None) -> bool:
    """Tell whether a thing is `request.user`, which is loaded when it is first looked at."""
    return isinstance(kind, ExtInst) and kind.name == LAZY_USER
