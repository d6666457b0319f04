"""What the exercises of a file show: a row for each function between them and what blocked."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from freeloop.knowledge.blocking import Kind
from freeloop.record.places import Places
from tests.knowledge.proofs.exercises import ExerciseFile
from tests.knowledge.proofs.names import Names, is_public
from tests.knowledge.proofs.primitives import is_buffer, is_question, kind_of, weight
from tests.knowledge.proofs.runs import EXERCISE, ROOT, Run, Runs, Target
from tests.knowledge.proofs.stubs import STUBS
from tests.knowledge.proofs.twins import twin_of

# What is made here, and what it is called everywhere.
PLATFORM = {"pathlib.PosixPath": "pathlib.Path", "pathlib.PurePosixPath": "pathlib.PurePath"}
LONGEST_CHAIN = 6
# They call what they are given: that one of it blocks says nothing about them.
PLUMBING = (
    *("abc", "asgiref", "asyncio", "codecs", "collections", "concurrent", "contextlib", "copy"),
    *("contextvars", "enum", "functools", "importlib", "inspect", "logging", "operator", "runpy"),
    *("selectors", "signal", "threading.Thread", "types", "typing", "unittest", "warnings"),
    *("weakref", "zipimport", "linecache", "traceback", "pkgutil", "atexit", "builtins"),
    *("django.apps", "django.conf", "django.core.handlers", "django.dispatch", "django.test"),
    *("django.utils.asyncio", "django.utils.connection", "django.utils.decorators"),
    *("django.utils.functional", "django.utils.module_loading", "django.utils.translation"),
    *("django.setup", "django.db.utils.ConnectionHandler"),
    # What these do is what the class that inherits from them does.
    *("django.contrib.sessions.backends.base", "django.core.cache.backends.base"),
    *("django.core.cache.BaseCache", "django.contrib.auth.backends.BaseBackend"),
    *("django.core.mail.backends.base", "django.core.files.storage.Storage"),
    *("django.utils.crypto", "django.views", "django.template", "django.core.management"),
    *("urllib3.util.wait", "urllib3.util.timeout", "select"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What one function reached in one exercise.

    Attributes:
        kind: What it waited for.
        primitive: The function in C.
        chain: From this function to the primitive, both left out.
        proof: The exercise.
        direct: Whether the exercise calls this one itself.
        twin: Its async twin, "" without one.
        in_memory: Whether it reached nothing that blocks when its file was in memory.
        guarded: Whether it raised SynchronousOnlyOperation when it ran on an event loop.
    """

    kind: Kind
    primitive: str
    chain: tuple[str, ...]
    proof: str
    direct: bool
    twin: str = ""
    in_memory: bool = False
    guarded: bool = False


@dataclass(slots=True)
class Proved:
    """All that the exercises of a file show.

    Attributes:
        rows: By settled name.
        aliases: Other name -> settled name.
        bases: Class -> its bases.
        returns: Function -> class.
        harmless: Class -> methods that reach nothing, where any other one is known to block.
        failed: Exercise -> why it proves nothing.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    bases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    returns: dict[str, str] = field(default_factory=dict)
    harmless: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def prove(file: ExerciseFile) -> Proved:
    """Return what the exercises of a file show, with its servers running meanwhile."""
    with contextlib.ExitStack() as stack:
        around: dict[str, Any] = {name: stack.enter_context(STUBS[name]()) for name in file.stubs}
        around["__name__"] = "exercise"
        around["cleanup"] = stack  # an exercise file may leave something to close
        exec(compile(file.setup, EXERCISE, "exec"), around)
        return _Prover(file, around).proved()


class _Prover:
    def __init__(self, file: ExerciseFile, around: dict[str, Any]) -> None:
        self._file = file
        self._runs = Runs(around, is_django=file.library == "django")
        self._proved = Proved()

    def proved(self) -> Proved:
        for exercise in self._file.exercises:
            self._runs.run(exercise)
        self._proved.failed = self._runs.failed
        results = [
            (self._runs.target(run), self._runs.evaluated(run)) for run in self._file.returns
        ]
        packages = frozenset(sys.stdlib_module_names) if self._is_stdlib else frozenset()
        self._names = Names(Places(str(ROOT)), packages | {*self._file.packages})
        for run in self._runs.done:
            if not self._learn(run):
                reached = sorted({call.name for call in run.calls})
                self._proved.failed[run.exercise.run] = f"no name or no wait: {reached[:12]}"
            self._learn_return(run.target, run.result)
        for target, result in results:
            self._learn_return(target, result)
        for spared in self._file.harmless:
            self._learn_harmless(spared)
        instances = [each for each in self._file.instances if self._is_instance(*each)]
        self._name_others()
        self._proved.aliases.update({name: cls for name, cls, _ in instances})
        return self._proved

    @property
    def _is_stdlib(self) -> bool:
        return self._file.library == "python"

    def _learn(self, run: Run) -> bool:
        """Keep a row for each function between the exercise and what blocked."""
        blocked = [(call, kind) for call in run.calls if (kind := kind_of(call)) is not None]
        blocked = [
            (call, self._file.net_is if kind is Kind.NET else kind) for call, kind in blocked
        ]
        if any(kind in {Kind.NET, Kind.DB} for _, kind in blocked):
            # What they read was the socket then, or is told apart by `open`.
            blocked = [(call, kind) for call, kind in blocked if not is_buffer(call.name)]
        blocked.sort(key=lambda found: weight(found[1], found[0].name))  # then as first reached
        exercise = run.exercise
        called = exercise.name or self._settled(run.target)
        twin = exercise.twin or self._twin_beside(run.target)
        learned = False
        for call, kind in blocked:
            places = list(call.stack)
            while places and places[-1].path in {EXERCISE, "runs.py"}:
                places.pop()
            inner: tuple[str, ...] = ()
            for place in places:
                names = self._names.functions(place.path, place.function)
                for name in names:
                    worth = self._is_worth(name) and not is_question(call.name)
                    if worth and name != called:
                        guarded = (place.path, place.function) in run.guarded
                        chain = shortened(inner)
                        row = Row(kind, call.name, chain, exercise.run, False, guarded=guarded)
                        self._add(name, row)
                inner = (*names[:1], *inner)  # without what is made inside of functions
            if called:
                below = inner[1:] if inner[:1] == (called,) else inner
                row = Row(
                    *(kind, call.name, shortened(below), exercise.run),
                    direct=True,
                    guarded=bool(run.guarded),
                    twin=twin,
                    in_memory=bool(exercise.in_memory),
                )
                self._add(called, row)
                learned = True
        return learned

    def _add(self, name: str, row: Row) -> None:
        name = name.removesuffix(".__init__").removesuffix(".__new__")
        known = self._proved.rows.get(name)
        if known is None or (row.direct and not known.direct):
            self._proved.rows[name] = row
        elif row.guarded and not known.direct:
            self._proved.rows[name] = replace(known, guarded=True)

    def _is_worth(self, name: str) -> bool:
        own = not self._file.packages or name.partition(".")[0] in self._file.packages
        return own and is_public(name) and not _is_plumbing(name)

    def _twin_beside(self, target: Target | None) -> str:
        """Return the twin that the class of the object has, which may inherit the method."""
        if target is None or not target.method:
            return ""
        cls = self._names.of_class(target.thing)
        return (twin_of(f"{cls}.{target.method}", self._names.thing) or "") if cls else ""

    def _settled(self, target: Target | None) -> str:
        if target is None:
            return ""
        if target.method:
            return self._method_of(target.thing, target.method)
        return self._names.settled(target.thing)

    def _method_of(self, cls: type, name: str) -> str:
        """Return "Class.method" of the library's class that defines it, or a public one below."""
        found = ""
        for each in cls.__mro__[:-1]:
            settled = self._names.of_class(each)
            settled = PLATFORM.get(settled, settled)
            # A class behind the scenes is known by the public one that inherits from it.
            behind = each.__module__.startswith("_") or _is_plumbing(settled)
            if name in vars(each) and settled and not (found and behind):
                return f"{settled}.{name}"
            if settled and not found:
                found = f"{settled}.{name}"
            if name in vars(each) and found:
                return found
        # Answered by `__getattr__`, as Django's cursor does for most of the driver's.
        return "" if any(name in vars(each) for each in cls.__mro__) else found

    def _learn_harmless(self, run: str) -> None:
        target = self._runs.target(run)
        reached, raised = self._runs.reached(run)
        assert target is not None
        for cls in filter(None, map(self._names.settled, target.thing.__mro__)):
            if f"{cls}.*" in self._proved.rows and not (reached or raised):
                self._proved.harmless.setdefault(cls, []).append(target.method)
                return
        self._proved.failed[run] = raised or f"is not harmless: {reached}"

    def _is_instance(self, name: str, of: str, run: str) -> bool:
        if isinstance(self._runs.evaluated(run), self._names.thing(of)):
            return True
        self._proved.failed[name] = f"is no {of}"
        return False

    def _learn_return(self, target: Target | None, result: Any) -> None:
        name = self._settled(target)
        settled = (self._names.settled(each) for each in type(result).__mro__[:-1])
        cls = next(filter(None, settled), "")
        cls = PLATFORM.get(cls, cls)
        if cls.partition(".")[0] in {"", "builtins", "types"} or "." not in cls or name == cls:
            return
        if not name:
            return
        self._proved.returns.setdefault(name, cls)

    def _name_others(self) -> None:
        """Note aliases, bases and twins of what has rows."""
        proved, names = self._proved, self._names
        classes: set[str] = {*proved.returns.values()}
        for name in (*proved.rows, *proved.returns):
            thing = names.thing(name)
            owner = name.rpartition(".")[0]
            if isinstance(names.thing(owner), type):
                classes.add(owner)
            elif isinstance(thing, type):
                classes.add(name)
            elif thing is not None:
                self._note_aliases(name, thing)
        classes = {cls for cls in classes if isinstance(names.thing(cls), type)}
        for cls in sorted(classes):
            self._note_aliases(cls, names.thing(cls))
            proved.bases[cls] = ()
        self._note_bases(classes)
        owners = {name.rpartition(".")[0] for name in (*proved.rows, *proved.returns)}
        known = owners | proved.rows.keys() | proved.bases.keys()
        proved.returns = {name: cls for name, cls in proved.returns.items() if cls in known}
        for name, row in list(proved.rows.items()):
            twin = row.twin or twin_of(name, names.thing)
            proved.rows[name] = replace(row, twin=twin or "")

    def _note_aliases(self, settled: str, thing: Any) -> None:
        for alias in self._names.aliases(settled, thing):
            if alias not in self._proved.rows:
                self._proved.aliases[alias] = settled

    def _note_bases(self, classes: set[str]) -> None:
        """Note every public class of the library that inherits from one with rows."""
        wanted = {self._names.thing(cls): cls for cls in classes}
        made = [(thing, cls) for thing, cls in wanted.items() if "<locals>" in thing.__qualname__]
        for thing, settled in (*self._all_classes(), *made):
            if ".asyncio." in settled or settled.rpartition(".")[2].startswith("Async"):
                continue  # it inherits names, and none of them blocks
            above = [wanted[each] for each in thing.__mro__[1:-1] if each in wanted]
            if above:
                self._proved.bases[settled] = tuple(above)
                self._note_aliases(settled, thing)

    def _all_classes(self) -> Iterator[tuple[type, str]]:
        for thing, _ in list(self._names._things.values()):
            if isinstance(thing, type) and (settled := self._names.settled(thing)):
                yield thing, settled


def _is_plumbing(name: str) -> bool:
    return any(f"{name}.".startswith(f"{each}.") for each in PLUMBING)


def shortened(chain: tuple[str, ...]) -> tuple[str, ...]:
    """Return a chain that a reader takes in: its ends, where it is long."""
    return chain if len(chain) <= LONGEST_CHAIN else (*chain[:3], "...", *chain[-2:])
