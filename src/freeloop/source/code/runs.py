"""Which functions a site runs on the thread that it is on itself."""

from __future__ import annotations

from collections.abc import Iterator

from freeloop.source.code.drawing import DRAWS, Drawing
from freeloop.source.code.index import Class, Func
from freeloop.source.code.kinds import (
    ClassRef,
    Ext,
    ExtInst,
    ExtMethod,
    FuncRef,
    Generator,
    Inst,
    Kind,
    Lent,
)
from freeloop.source.code.program import Program
from freeloop.source.code.signals import BUILT_IN_SIGNALS, SIGNALS, receivers
from freeloop.source.code.sites import Site, Use, What

# The loop calls what these are given.
CALLED_BY_LOOP = frozenset(
    {"call_soon", "call_soon_threadsafe", "call_later", "call_at", "add_done_callback"}
)

# Run a coroutine on another loop than the one that makes it.
OWN_LOOPS = frozenset(
    {"asyncio.run", "asyncio.run_coroutine_threadsafe", "anyio.run", "uvloop.run"}
)
OWN_LOOP_CALLS = ("asyncio.run", "run_coroutine_threadsafe", "run_until_complete")


class Runs:
    """Tells what runs when a site does."""

    def __init__(self, program: Program, drawing: Drawing) -> None:
        """Tell it of a program and of its templates."""
        self.program = program
        self._drawing = drawing
        self._wrappers: dict[Func, tuple[Func, ...]] = {}
        self._receivers: dict[str, list[Func]] | None = None

    def of(self, site: Site) -> Iterator[tuple[Func, bool]]:
        """Yield each function that runs, and whether only when its answer is not kept yet."""
        target = site.target
        if type(target) is Ext and not target.name.startswith(BUILT_IN_SIGNALS):
            if target.name in DRAWS and site.what is What.CALL:
                yield from ((func, False) for func in self._drawing.functions(site))
            return
        if site.what is What.CALL:
            yield from self._of_call(site, target)
        elif (site.what is What.READ and isinstance(target, FuncRef)) or (
            site.what is What.ITERATE and isinstance(target, Generator)
        ):
            yield target.func, False
        elif site.what is What.ENTER:
            yield from self._of_block(target)
        elif site.what is What.AWAIT and isinstance(target, Generator):
            yield target.func, False

    def _of_call(self, site: Site, target: Kind | None) -> Iterator[tuple[Func, bool]]:
        match target:
            case FuncRef() if target.func.is_async and (
                site.use is Use.STATEMENT or self._runs_elsewhere(site.given_to)
            ):
                # A coroutine that nobody awaits, or that another loop does.
                return
            case FuncRef():
                if not target.func.yields:
                    yield target.func, target.cached
                for wrapper in self.wrappers(target.func):
                    yield wrapper, False
            case ClassRef():
                yield from self._methods(target.cls, "__init__", "__post_init__")
            case Inst():
                yield from self._methods(target.cls, "__call__")
            case _:
                for func in self._of_library(site, target):
                    yield func, False

    def _runs_elsewhere(self, given_to: Kind | None) -> bool:
        """Tell whether a function runs the coroutine that it is given on a loop of its own."""
        match given_to:
            case Ext():
                return given_to.name in OWN_LOOPS
            case ExtMethod():
                return given_to.name == "run_until_complete"
            case FuncRef() if not given_to.func.is_async:
                texts = [site.text for site in self.program.sites(given_to.func)]
                return any(text.endswith(OWN_LOOP_CALLS) for text in texts)
            case _:
                return False

    def _methods(self, cls: Class, *names: str) -> Iterator[tuple[Func, bool]]:
        for name in names:
            method = self.program.resolver.method(cls, name)
            if method is not None:
                yield method, False

    def _of_library(self, site: Site, target: Kind | None) -> Iterator[Func]:
        """Yield what a library calls back: callbacks of the loop, receivers of a signal."""
        match target:
            case ExtMethod() if target.name in CALLED_BY_LOOP:
                for given in site.arguments:
                    if isinstance(given, FuncRef) and not given.func.yields:
                        yield given.func
            case ExtMethod() if target.name in ("send", "send_robust"):
                yield from self._of_signal(target.owner, site)
            case Ext() if target.name.startswith(BUILT_IN_SIGNALS):
                yield from self.receivers().get(target.name.rpartition(".")[0], ())

    def _of_block(self, target: Kind | None) -> Iterator[tuple[Func, bool]]:
        match target:
            case Lent():
                yield target.of, False
            case Inst():
                names = ("__enter__", "__exit__", "__aenter__", "__aexit__")
                yield from self._methods(target.cls, *names)
            case _:
                pass

    def _of_signal(self, owner: Kind | None, site: Site) -> Iterator[Func]:
        if isinstance(owner, ExtInst) and owner.name in SIGNALS:
            name = site.text.rpartition(".")[0].rpartition(".")[2]
            yield from self.receivers().get(name, ())

    def receivers(self) -> dict[str, list[Func]]:
        """Return the sync receivers of each signal, by the signal's name as it is written."""
        if self._receivers is None:
            self._receivers = {}
            for signal, func in receivers(self.program):
                if not func.is_async:
                    self._receivers.setdefault(signal, []).append(func)
        return self._receivers

    def wrappers(self, func: Func) -> tuple[Func, ...]:
        """Return what the project's decorators of a function run around it."""
        known = self._wrappers.get(func)
        if known is None:
            decorators = [
                kind.func
                for _, _, kind in self.program.resolver.decorator_names(func)
                if isinstance(kind, FuncRef)
            ]
            known = self._wrappers[func] = tuple(
                inner
                for decorator in decorators
                for inner in decorator.module.functions
                if inner.outer is decorator and inner.is_async == func.is_async
            )
        return known
