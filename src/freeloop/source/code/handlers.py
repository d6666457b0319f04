"""Handlers: async functions that a framework is given, to run them on its event loop."""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.source.code.index import Class, Func, Module
from freeloop.source.code.kinds import ClassRef, Ext, ExtInst, ExtMethod, FuncRef, Generator, Kind
from freeloop.source.code.program import Program
from freeloop.source.code.sites import Site, What
from freeloop.source.code.summary import REGISTRARS, STREAMS
from freeloop.source.code.terms import ASSIGN, ATTRIBUTE, IF, SUBSCRIPT, Term

# Frameworks whose decorators make an async function an endpoint on the loop; a plain `def` runs
# in a thread.
ROUTERS = (
    "ninja.", "ninja_extra.", "fastapi.", "starlette.", "socketio.", "channels.", "strawberry.",
    "aiohttp.web", "mcp.", "fastmcp.",
)  # fmt: skip
ROUTER_METHODS = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "trace", "api_operation",
     "websocket", "route", "on", "event", "api_route", "tool", "resource", "prompt", "field",
     "mutation", "subscription", "middleware", "on_event", "generic", "http_get", "http_post",
     "http_put", "http_patch", "http_delete", "http_generic"}
)  # fmt: skip
# Bots: every decorator of theirs is given a handler.
BOTS = ("discord.", "disnake.", "nextcord.", "aiogram.", "telethon.", "pyrogram.", "slack_bolt.")
# What runs once in a process.
STARTS, ENDS = "start-up handler", "shut-down handler"
# Callbacks that a bot calls by their name.
BOT_CALLBACKS = ("on_", "callback", "interaction_check", "setup_hook", "cog_load", "cog_unload",
                 "cog_check", "process_commands")  # fmt: skip


def is_router(decorator: Kind | None) -> bool:
    """Tell whether a decorator makes an endpoint of an async function."""
    match decorator:
        case ExtMethod():
            owner = decorator.owner
            return (
                decorator.name in ROUTER_METHODS
                and isinstance(owner, ExtInst)
                and owner.name.startswith(ROUTERS)
            )
        case Ext():
            return decorator.name.startswith(ROUTERS) and (
                decorator.name.rpartition(".")[2] in ROUTER_METHODS
            )
        case _:
            return False


def is_part(decorator: Kind | None) -> bool:
    """Tell whether a decorator adds to a router, which a URLconf or an application has to load."""
    owner = decorator.owner if isinstance(decorator, ExtMethod) else None
    return isinstance(owner, ExtInst) and owner.name.endswith(("Router", "NinjaAPI"))


def is_bot(decorator: Kind | None) -> bool:
    """Tell whether a decorator gives an async function to a bot."""
    match decorator:
        case Ext():
            return decorator.name.startswith(BOTS)
        case ExtMethod():
            return any(each.startswith(BOTS) for each in decorator.classes)
        case _:
            return False


def keeps(decorator: Kind | None) -> bool:
    """Tell whether a decorator of the project marks or keeps a function, to call it by a name."""
    if not isinstance(decorator, FuncRef):
        return False
    inside = [each for each in decorator.func.module.functions if _is_in(each, decorator.func)]
    names = {each.last_name for each in inside} | {name for each in inside for name in each.names}
    return any(_keeps(term, names) for each in inside for term in each.body)


def _is_in(func: Func | None, around: Func) -> bool:
    while func is not None and func is not around:
        func = func.outer
    return func is around


def _keeps(term: Term, names: set[str]) -> bool:
    if term[0] == ASSIGN:
        marks = any(
            type(each) is tuple
            and each[0] == ATTRIBUTE
            and each[1] in names
            and not each[2].startswith("__")
            for each in term[1]
        )
        kept = any(type(each) is tuple and each[0] == SUBSCRIPT for each in term[1])
        return marks or (kept and type(term[2]) is str and term[2] in names)
    return term[0] == IF and any(_keeps(each, names) for each in (*term[2], *term[3]))


def callbacks(program: Program, cls: Class) -> Iterator[Func]:
    """Yield the methods of a class that a bot's library calls by their names."""
    if any(base.startswith(BOTS) for base in program.resolver.library_bases(cls)):
        for name, method in cls.methods.items():
            if method.is_async and name.startswith(BOT_CALLBACKS):
                yield method


def given(program: Program, module: Module) -> Iterator[tuple[Func, str]]:
    """Yield what a module gives to a framework, or streams, with words for what it becomes."""
    imported = [
        name.encode()
        for name, dotted in module.imports.items()
        if f"{dotted}.".startswith((*REGISTRARS, *STREAMS))
    ]
    for func in (module.body, *module.functions):
        # Walked only where such a name is written, or handlers are added to what it gave.
        if func is not module.body and not any(n in func.packed for n in (*imported, b"add_")):
            continue
        calls = [site for site in program.sites(func) if site.what is What.CALL]
        for site in calls:
            name = _library(site.target)
            if name in STREAMS:
                # One generator is often wrapped by another before it is streamed.
                made = [each.result for each in calls if isinstance(each.result, Generator)]
                yield from ((each.func, "stream") for each in made if each.func.is_async)
            elif name.startswith(REGISTRARS):
                values = (*site.arguments, *site.keywords.values())
                for value in values:
                    if isinstance(value, FuncRef) and value.func.is_async:
                        yield value.func, _given_as(site)


def _given_as(site: Site) -> str:
    """Return words for what a function becomes that a call gives to a framework."""
    text = site.text
    if "startup" in text or "post_init" in text:
        return STARTS
    return ENDS if "shutdown" in text or "cleanup" in text else "handler"


def _library(kind: Kind | None) -> str:
    """Return the name of a library's function, or of the class of a method; "" for others."""
    match kind:
        case Ext():
            return kind.name
        case ExtMethod():
            return kind.classes[0] if kind.classes else ""
        case _:
            return ""


def registered(site: Site) -> ClassRef | None:
    """Return the class that a call gives to a router: `router.register("guests", GuestViews)`."""
    if isinstance(site.target, ExtMethod) and site.target.name == "register":
        return next((each for each in site.arguments if isinstance(each, ClassRef)), None)
    return None
