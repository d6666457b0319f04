"""Entry points: the functions on the event loop that a server, Django or a framework calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from freeloop.model.finding import Guard
from freeloop.source.code.handlers import (
    ENDS,
    STARTS,
    callbacks,
    given,
    is_bot,
    is_part,
    is_router,
    keeps,
)
from freeloop.source.code.index import Class, Func, Module
from freeloop.source.code.kinds import ClassRef, Enter, ExtMethod, FuncRef
from freeloop.source.code.named import Named
from freeloop.source.code.program import Program
from freeloop.source.code.refusals import refusal
from freeloop.source.code.routes import Route, Routes
from freeloop.source.code.settings import Settings
from freeloop.source.code.signals import RECEIVERS, connected_async, received, sent_by_tasks_alone
from freeloop.source.code.terms import Term

HTTP_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
ASYNC_CONSUMERS = (
    "AsyncConsumer", "AsyncWebsocketConsumer", "AsyncJsonWebsocketConsumer", "AsyncHttpConsumer",
)  # fmt: skip
# What Channels itself calls of a consumer.
CONSUMED = frozenset({"connect", "disconnect", "receive", "receive_json", "handle", "http_request",
                      "dispatch", "websocket_connect", "websocket_disconnect", "body"})  # fmt: skip
# Callbacks of a bot, called when its process or one part of it starts or ends.
ONCE = frozenset({"setup_hook", "cog_load", "cog_unload", "on_ready", "on_connect"})
# Of a view set of Django REST framework, beside the methods of HTTP.
ACTIONS = ("list", "create", "retrieve", "update", "partial_update", "destroy")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry point.

    Attributes:
        func: Function that runs on the loop.
        what: "async view", "consumer", "middleware", "ASGI application", "endpoint", "receiver",
            "bot handler", "handler", "stream", "registered handler", "start-up handler".
        route: Path as written, "/orders/<int:pk>/"; "" if it has none.
        guard: RARE for what runs once, when the process starts.
        runs: Whether its body ever runs: some frameworks do not await what they call.
        maybe: Whether it is one only if no other function calls it.
        fixed: Parameters that no route gives, so that they have their defaults.
    """

    func: Func
    what: str
    route: str = ""
    guard: Guard = Guard.NONE
    fixed: frozenset[str] = frozenset()
    runs: bool = True
    maybe: bool = False

    @property
    def known(self) -> dict[str, Term]:
        """Values of the parameters that no route gives."""
        return {name: value for name, value in self.func.defaults if name in self.fixed}

    @property
    def words(self) -> str:
        """The entry point in words."""
        name = self.func.name.replace(".<locals>", "")
        return f"{self.what} {name}" + (f", {self.route}" if self.route else "")


def find_entries(program: Program, settings: Settings) -> list[Entry]:
    """Return the entry points on the loop, views first."""
    found: dict[Func, Entry] = {}

    def add(entries: Iterator[Entry]) -> None:
        for entry in entries:
            found.setdefault(entry.func, entry)

    routes = Routes(program, settings)
    for route in routes.all():
        add(_of_route(program, route))
    for func, entry in found.items():
        found[func] = replace(entry, fixed=routes.never_given(func))
    add(_of_middleware(program, settings))
    # Where no URLconf is read, something else may serve what nothing names.
    named = program.named if settings.urlconf in program.index else None
    for module in program.index.with_async():
        add(_of_module(program, module, named))
    for module in program.index.handing_over():
        for func, what in given(program, module):
            guard = Guard.RARE if what in (STARTS, ENDS) else Guard.NONE
            add(iter([Entry(func, what, guard=guard)]))
    add(Entry(func, "receiver") for func in connected_async(program))
    return list(found.values())


def _of_route(program: Program, route: Route) -> Iterator[Entry]:
    """Yield what a request to a route runs on the loop."""
    match route.target:
        case FuncRef():
            func = route.target.func
            if func.is_async and not _is_entered(program, func):
                runs = not refusal(program.resolver, func)
                yield Entry(func, "async view", route.path, runs=runs)
        case ClassRef():
            yield from _of_class(program, route.target.cls, route.path)


def _of_class(program: Program, cls: Class, path: str) -> Iterator[Entry]:
    methods = _methods(program, cls)
    if _is_consumer(program, cls):
        yield from _of_consumer(program, cls, path)
        return
    handlers = [methods[name] for name in (*HTTP_METHODS, *ACTIONS) if name in methods]
    handlers += [each for each in methods.values() if _is_action(program, each)]
    entries = [
        Entry(each, "async view", path, runs=not refusal(program.resolver, each))
        for each in handlers
        if each.is_async and not _is_entered(program, each)
    ]
    yield from entries
    if not any(each.runs for each in entries):
        return
    # Of an async view everything runs on the loop that Django calls before the handler.
    for name in ("dispatch", "setup", "__init__", "initial"):
        if name in methods:
            yield Entry(methods[name], "async view", path)


def _is_entered(program: Program, func: Func) -> bool:
    """Tell whether `async_to_sync` makes a sync view of it: in a thread, on a loop of its own."""
    return bool(func.decorators) and isinstance(program.resolver.decorated(func), Enter)


def _is_action(program: Program, method: Func) -> bool:
    return method.is_async and any(
        name.endswith("decorators.action")
        for name, _, _ in (program.resolver.decorator_names(method) if method.decorators else ())
    )


def _methods(program: Program, cls: Class) -> dict[str, Func]:
    found: dict[str, Func] = {}
    for each in program.resolver.mro(cls):
        if isinstance(each, Class):
            for name, method in each.methods.items():
                found.setdefault(name, method)
    return found


def _is_consumer(program: Program, cls: Class) -> bool:
    return any(
        base.rpartition(".")[2] in ASYNC_CONSUMERS for base in program.resolver.library_bases(cls)
    )


def _of_consumer(program: Program, cls: Class, path: str = "") -> Iterator[Entry]:
    """Yield the handlers of a consumer: those of Channels, and those that group messages name."""
    methods = _methods(program, cls)
    for name, method in methods.items():
        # A message of a group is the one argument of the method that its type names.
        maybe = len(method.parameters) == 2 or _by_name(methods, name)
        if method.is_async and (name in CONSUMED or maybe) and not name.startswith("_"):
            yield Entry(method, "consumer", path, maybe=name not in CONSUMED)


def _by_name(methods: Mapping[str, Func], name: str) -> bool:
    """Tell whether a method may only be called by a name that is put together: `getattr`."""
    others = [each.packed for other, each in methods.items() if other != name]
    return any(b"getattr" in packed for packed in others) and not any(
        name.encode() in packed for packed in others
    )


def _of_middleware(program: Program, settings: Settings) -> Iterator[Entry]:
    for dotted in settings.middleware:
        kind = program.resolver.dotted(dotted)
        if isinstance(kind, ClassRef):
            for name, method in _methods(program, kind.cls).items():
                if method.is_async and (name.startswith(("process_", "__")) or "call" in name):
                    yield Entry(method, "middleware")
        elif isinstance(kind, FuncRef):
            yield from _inner_async(kind.func)


def _inner_async(func: Func) -> Iterator[Entry]:
    for inner in func.module.functions:
        if inner.outer is func and inner.is_async:
            yield Entry(inner, "middleware")


def _of_module(program: Program, module: Module, named: Named | None) -> Iterator[Entry]:
    """Yield the entry points that say so themselves."""
    for cls in module.classes:
        if _is_consumer(program, cls):
            if named is None or named.cls(cls, "as_asgi"):
                yield from _of_consumer(program, cls)
        elif "async_capable" in cls.attributes and (named is None or named.cls(cls)):
            methods = (method for method in cls.methods.values() if method.is_async)
            yield from (Entry(method, "middleware") for method in methods)
        for method in callbacks(program, cls):
            guard = Guard.RARE if method.last_name in ONCE else Guard.NONE
            yield Entry(method, "bot handler", guard=guard)
    for func in module.functions:
        if func.is_async:
            yield from _of_function(program, func, named)


def _of_function(program: Program, func: Func, named: Named | None) -> Iterator[Entry]:
    names = tuple(name for name, _ in func.parameters)
    if names[-3:] == ("scope", "receive", "send"):
        yield Entry(func, "ASGI application")
        return
    for name, _, decorator in program.resolver.decorator_names(func) if func.decorators else ():
        if (name in RECEIVERS or is_part(decorator)) and not (
            named is None or named.module(func.module.file)
        ):
            continue
        if name in RECEIVERS:
            signals = list(received(program, func))
            if not signals or not all(sent_by_tasks_alone(program, each) for each in signals):
                yield Entry(func, "receiver")
        elif is_router(decorator):
            once = isinstance(decorator, ExtMethod) and decorator.name == "on_event"
            yield Entry(func, "endpoint", guard=Guard.RARE if once else Guard.NONE)
        elif is_bot(decorator):
            yield Entry(func, "bot handler")
        elif keeps(decorator):
            yield Entry(func, "registered handler")
