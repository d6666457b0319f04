"""Which functions written in C a call reaches, from which line, and which of them waited.

What blocks an event loop is in the end a function in C: `time.sleep`, `socket.recv_into`, a query
of SQLite. `sys.monitoring` tells each call of one from Python; its events are put on the code that
the call enters, and on no other. Not told: what C calls by itself (`map(time.sleep, ...)`), what
has a bytecode of its own (`for row in cursor`, the entering of `with lock`), and other threads.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    CodeType,
    FrameType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from freeloop.model.trace import Place
from freeloop.record.clock import RunQueue, cpu_ns, wall_ns
from freeloop.record.monitor import taken_tool_id
from freeloop.record.names import class_name
from freeloop.record.places import Places, Spot
from freeloop.record.values import shown_error

# Of the frames above a call, as many are kept.
DEEPEST = 40

events = sys.monitoring.events


@dataclass(frozen=True, slots=True)
class CCall:
    """All calls of one function in C from one line.

    Attributes:
        name: "time.sleep", "_socket.socket.recv_into": the class that defines a method.
        stack: The line that called it, and those above it up to the function that was asked about;
            of the first call. Empty when that function itself is in C.
        count: How many calls.
        took_ns: From call to return, of all of them; what they call themselves is in it.
        waited_ns: Of that, neither on a core nor in the queue for one: on a file, a socket, a lock,
            the interpreter lock. Includes the queue where the system does not tell it; leaves out
            the waits of other functions in C that were called meanwhile, which are theirs.
    """

    name: str
    stack: tuple[Place, ...]
    count: int
    took_ns: int
    waited_ns: int

    @property
    def caller(self) -> Place | None:
        """The line that called it; None when it is what was asked about."""
        return self.stack[0] if self.stack else None


@dataclass(frozen=True, slots=True)
class CCalls:
    """What one call of a function reached.

    Attributes:
        calls: In the order in which each was first reached.
        raised: Exception that left the function, "ValueError: ...", or "".
    """

    calls: tuple[CCall, ...]
    raised: str = ""

    def names(self) -> tuple[str, ...]:
        """Return the functions, each once."""
        return tuple(dict.fromkeys(call.name for call in self.calls))

    def waiting(self, least_ns: int) -> tuple[CCall, ...]:
        """Return those that waited for so long, longest first."""
        found = [call for call in self.calls if call.waited_ns >= least_ns]
        return tuple(sorted(found, key=lambda call: -call.waited_ns))


def calls_of(function: Callable[..., object], *args: object, root: Path | None = None) -> CCalls:
    """Call a function, and return the functions in C that it reached on this thread.

    Args:
        function: Called once, for real; give `functools.partial` for named arguments,
            and `asyncio.run` with a coroutine for an async function.
        args: For it.
        root: Directory whose code is the project's own in the places; the current one if None.

    Raises:
        FreeloopError: If no tool id of `sys.monitoring` is free.
    """
    watcher = _Watcher(Places(str(root or Path.cwd())))
    raised = ""
    watcher.install()
    try:
        function(*args)
    except Exception as error:
        raised = shown_error(error)
    finally:
        watcher.remove()
    return CCalls(watcher.found(), raised)


@dataclass(slots=True)
class _Sum:
    """What is known so far of one function and line."""

    stack: tuple[Spot, ...]
    count: int = 0
    took_ns: int = 0
    waited_ns: int = 0


@dataclass(slots=True)
class _Open:
    """A call that has not returned yet.

    Attributes:
        frame: Which made it.
        offset: Of its instruction.
        sum: Where it is added.
        clocks: Wall, CPU and run queue when it began.
        inner_ns: Waits of the calls inside of it.
    """

    frame: FrameType
    offset: int
    sum: _Sum
    clocks: tuple[int, int, int]
    inner_ns: int = 0

    def is_of(self, frame: FrameType, offset: int) -> bool:
        """Whether this instruction of this frame made it."""
        return self.frame is frame and self.offset == offset


class _Watcher:
    """Puts CALL events on each code object that the thread enters."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._thread = get_ident()
        self._queue = RunQueue()
        # By identity: hashing a code object hashes all of its instructions.
        self._codes: dict[int, CodeType] = {}
        self._sums: dict[tuple[str, int, int], _Sum] = {}
        self._open: list[_Open] = []
        self._tool = -1

    def install(self) -> None:
        """Begin."""
        self._tool = taken_tool_id()
        register = sys.monitoring.register_callback
        register(self._tool, events.PY_START, self._entered)
        register(self._tool, events.CALL, self._called)
        register(self._tool, events.C_RETURN, self._returned)
        register(self._tool, events.C_RAISE, self._returned)
        self._choose(calls_of.__code__)  # it may be given a function in C
        sys.monitoring.set_events(self._tool, events.PY_START)

    def remove(self) -> None:
        """Give everything back."""
        monitoring = sys.monitoring
        monitoring.set_events(self._tool, events.NO_EVENTS)
        monitoring.restart_events()  # of starts that were not looked at any more
        for code in self._codes.values():
            monitoring.set_local_events(self._tool, code, events.NO_EVENTS)
        for event in (events.PY_START, events.CALL, events.C_RETURN, events.C_RAISE):
            monitoring.register_callback(self._tool, event, None)
        monitoring.free_tool_id(self._tool)
        self._queue.close()

    def found(self) -> tuple[CCall, ...]:
        """Return what was reached."""
        return tuple(
            CCall(
                name,
                tuple(self._places.resolve(spot) for spot in known.stack),
                known.count,
                known.took_ns,
                known.waited_ns,
            )
            for (name, _code, _line), known in self._sums.items()
        )

    def _choose(self, code: CodeType) -> None:
        self._codes[id(code)] = code
        sys.monitoring.set_local_events(self._tool, code, events.CALL)

    def _entered(self, code: CodeType, _offset: int) -> object:
        if get_ident() != self._thread:
            return None
        if id(code) not in self._codes and self._places.origin(code) is not None:
            self._choose(code)  # not ours, which puts the events in and takes them out
        return sys.monitoring.DISABLE

    def _called(self, _code: CodeType, offset: int, function: Any, _first: Any) -> None:
        if get_ident() != self._thread or type(function) is FunctionType:
            return
        name = name_of(function)
        if name is None:
            return  # what Python runs tells no return to C
        frame = sys._getframe(1)
        self._open.append(_Open(frame, offset, self._sum(name, frame), self._clocks()))

    def _returned(self, _code: CodeType, offset: int, _function: Any, _first: Any) -> None:
        if get_ident() != self._thread:
            return
        wall, cpu, queue = self._clocks()
        frame = sys._getframe(1)
        index = len(self._open) - 1
        while index >= 0 and not self._open[index].is_of(frame, offset):
            index -= 1
        if index < 0:
            return
        call = self._open[index]
        del self._open[index:]
        took = wall - call.clocks[0]
        waited = max(0, took - (cpu - call.clocks[1]) - (queue - call.clocks[2]))
        if self._open:
            self._open[-1].inner_ns += waited
        call.sum.took_ns += took
        call.sum.waited_ns += max(0, waited - call.inner_ns)

    def _sum(self, name: str, frame: FrameType) -> _Sum:
        key = name, id(frame.f_code), frame.f_lineno
        known = self._sums.get(key)
        if known is None:
            known = self._sums[key] = _Sum(self._places.stack(frame, DEEPEST))
        known.count += 1
        return known

    def _clocks(self) -> tuple[int, int, int]:
        return wall_ns(), cpu_ns(), self._queue.delay_ns() or 0


def name_of(function: Any) -> str | None:
    """Return the name of a function, method or class that is written in C; None for Python's.

    A partial is called by the name of what it calls, a class by the one that makes its objects.
    """
    while type(function) is functools.partial:
        function = function.func
    if type(function) is MethodType:
        function = function.__func__
    if type(function) is FunctionType:
        return None
    if type(function) is BuiltinFunctionType:
        return _builtin_name(function)
    if isinstance(function, DESCRIPTORS):
        return f"{class_name(function.__objclass__)}.{function.__name__}"
    if isinstance(function, type):
        return _maker(function, "__init__", "__new__")
    if type(function).__name__ == "cython_function_or_method":  # of a driver, such as psycopg's
        return f"{function.__module__}.{function.__qualname__}"
    # An object that is called, such as a cache around a function.
    return _maker(type(function), "__call__")


DESCRIPTORS = (
    *(MethodDescriptorType, ClassMethodDescriptorType),
    *(MethodWrapperType, WrapperDescriptorType),
)

# What a class keeps of a method in C.
OF_C = (*DESCRIPTORS, BuiltinFunctionType, staticmethod)


def _builtin_name(function: Any) -> str:
    """Return "module.function", or the class that defines a method."""
    owner, name = function.__self__, function.__name__
    if isinstance(owner, ModuleType):
        module = owner.__name__
        return str(name) if module == "builtins" else f"{module}.{name}"
    classes = owner.__mro__ if isinstance(owner, type) else type(owner).__mro__
    # A class below may have a method of Python's by that name, which called this one by `super`.
    definer = next(
        (each for each in classes if isinstance(vars(each).get(name), OF_C)),
        None,
    )
    return f"{class_name(definer)}.{name}" if definer is not None else str(name)


def _maker(kind: type, *names: str) -> str | None:
    """Return the first class that defines one of the names in C; None where Python does first."""
    for each in kind.__mro__:
        defined = [vars(each)[name] for name in names if name in vars(each)]
        if any(isinstance(thing, FunctionType | staticmethod) for thing in defined):
            return None
        if defined:
            return None if each is object else class_name(each)
    return None
