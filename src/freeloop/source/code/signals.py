"""Signals: which functions of the project receive which, by decorator or by `connect`."""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.source.code.index import Func, Module
from freeloop.source.code.kinds import Ext, ExtInst, ExtMethod, FuncRef, Kind
from freeloop.source.code.program import Program
from freeloop.source.code.sites import Site, What
from freeloop.source.code.spelling import written
from freeloop.source.code.tasks import is_command, is_task
from freeloop.source.code.terms import SEQUENCE, Term

RECEIVERS = frozenset({"django.dispatch.receiver", "django.dispatch.dispatcher.receiver"})
SIGNALS = frozenset({"django.dispatch.Signal", "django.dispatch.dispatcher.Signal"})
BUILT_IN_SIGNALS = (
    "django.db.models.signals.", "django.core.signals.", "django.contrib.auth.signals.",
)  # fmt: skip
SENDS = (".send", ".asend", ".send_robust", ".asend_robust")
# Where receivers are connected by convention.
MODULES = ("apps", "signals", "receivers", "handlers", "signal_handlers")


def receivers(program: Program) -> Iterator[tuple[str, Func]]:
    """Yield the name of a signal, as written or of Django's own in full, and what receives it."""
    for module in program.index.all_modules():
        for func in module.functions:
            if func.decorators:
                yield from _decorated(program, func)
        if _may_connect(module):
            yield from _connected(program, module)


def connected_async(program: Program) -> Iterator[Func]:
    """Yield the async functions that a call of `connect` makes receivers."""
    for path, file in list(program.index.files.items()):
        if file.module.rpartition(".")[2] in MODULES:
            module = program.index.module_of(path)
            if module is not None and _may_connect(module):
                for signal, func in _connected(program, module):
                    if func.is_async and not sent_by_tasks_alone(program, signal):
                        yield func


def received(program: Program, func: Func) -> Iterator[str]:
    """Yield the names of the signals that decorators connect a function to."""
    yield from (name for name, _ in _decorated(program, func))


def sent_by_tasks_alone(program: Program, signal: str) -> bool:
    """Tell whether a signal of the project is sent, and by nothing but tasks and commands.

    Their receivers run on a loop that Django makes for them and nobody else waits on.
    """
    senders = [
        func
        for module in program.index.mentioning(signal)
        for func in (module.body, *module.functions)
        if not func.in_tests and signal.encode() in func.packed
        for site in program.sites(func)
        if site.text.endswith(tuple(f"{signal}{each}" for each in SENDS))
    ]
    return bool(senders) and all(
        not func.is_async and (is_task(program.resolver, func) or is_command(func))
        for func in senders
    )


def _may_connect(module: Module) -> bool:
    """Tell whether a module has to do with signals: walking all of them would cost too much."""
    return module.name.rpartition(".")[2] in MODULES or any(
        "signal" in name or name.startswith("django.dispatch") for name in module.imports.values()
    )


def _decorated(program: Program, func: Func) -> Iterator[tuple[str, Func]]:
    for name, term, _ in program.resolver.decorator_names(func):
        if name in RECEIVERS and type(term) is tuple:
            first: Term = term[2][0] if term[2] else None
            several = type(first) is tuple and first[0] == SEQUENCE
            for signal in first[2] if several else (first,):
                kind = program.evaluate(func.module.body, signal)
                yield _name(kind, written(signal)), func


def _connected(program: Program, module: Module) -> Iterator[tuple[str, Func]]:
    ready = [func for func in module.functions if func.last_name == "ready"]
    for func in (module.body, *ready):
        for site in program.sites(func):
            signal = _connects(site)
            if signal:
                given = (*site.arguments[:1], site.keywords.get("receiver"))
                yield from ((signal, each.func) for each in given if isinstance(each, FuncRef))


def _connects(site: Site) -> str:
    """Return the signal whose `connect` a site calls; "" for anything else."""
    target = site.target
    if site.what is not What.CALL or not site.text.endswith(".connect"):
        return ""
    if isinstance(target, Ext) and target.name.startswith(BUILT_IN_SIGNALS):
        return target.name.removesuffix(".connect")
    owner = target.owner if isinstance(target, ExtMethod) else None
    if isinstance(owner, ExtInst) and owner.name in SIGNALS:
        return _name(None, site.text.removesuffix(".connect"))
    return ""


def _name(kind: Kind | None, text: str) -> str:
    return kind.name if isinstance(kind, Ext) else text.rpartition(".")[2]
