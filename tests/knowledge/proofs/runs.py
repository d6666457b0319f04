"""Run exercises below the recorder: what each reached and calls, and what Django's guard did."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from freeloop.record.c_calls import CCall, CCalls, calls_of
from freeloop.record.places import Places
from tests.knowledge.proofs.exercises import Exercise
from tests.knowledge.proofs.primitives import is_buffer, kind_of

EXERCISE = "<exercise>"
ROOT = Path(__file__).parent
MOST_RUNS = 5
# What these call of an object is what is proved.
PROTOCOLS = {
    "list": "__iter__",
    "len": "__len__",
    "bool": "__bool__",
    "repr": "__repr__",
    "next": "__next__",
}


class _RaisedError(Exception):
    """The exercise itself failed."""


@dataclass(frozen=True, slots=True)
class Target:
    """What an exercise calls: a function or class, or a class and the name of its method."""

    thing: Any
    method: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What one exercise did.

    Attributes:
        exercise: It.
        calls: The functions in C that it reached.
        target: What it calls; None if that is no function.
        result: What it gave.
        guarded: Place and name of the functions that Django's guard left on an event loop.
    """

    exercise: Exercise
    calls: tuple[CCall, ...]
    target: Target | None
    result: Any
    guarded: frozenset[tuple[str, str]]


class Runs:
    """The exercises of a file, run one after another in one namespace."""

    def __init__(self, around: dict[str, Any], *, is_django: bool) -> None:
        self._around = around
        self._is_django = is_django
        self.done: list[Run] = []
        self.failed: dict[str, str] = {}

    def run(self, exercise: Exercise) -> None:
        """Run once to fill caches and import, and again to keep what it reached."""
        code = compile(exercise.run, EXERCISE, "eval")
        ready = compile(exercise.before, EXERCISE, "exec")
        try:
            exec(ready, self._around)
            target = self.target(exercise.run)
            self._recorded(code, ready)
            for _ in range(MOST_RUNS):
                calls, result = self._recorded(code, ready)
                if any(kind_of(call) is not None for call in calls.calls):
                    break  # on a busy machine what is waited for may be there before the wait
            self._show_harmless(exercise)
            exec(ready, self._around)
            guarded = self._refused_on_loop(code)
        except _RaisedError as error:
            self.failed[exercise.run] = str(error)
            return
        except Exception as error:
            self.failed[exercise.run] = f"before: {type(error).__name__}: {error}"
            return
        self.done.append(Run(exercise, calls.calls, target, result, guarded))

    def _recorded(self, code: CodeType, ready: CodeType) -> tuple[CCalls, Any]:
        """Return what a run of an exercise reached and gave."""
        result: list[Any] = []
        exec(ready, self._around)
        calls = calls_of(lambda: result.append(eval(code, self._around)), root=ROOT)
        if calls.raised:
            raise _RaisedError(calls.raised)
        return calls, result[0]

    def reached(self, run: str) -> tuple[list[str], str]:
        """Return the primitives that a second run of an expression reached, and what it raised."""
        code = compile(run, EXERCISE, "eval")
        for _ in range(2):
            calls = calls_of(lambda: eval(code, self._around), root=ROOT)
        return [call.name for call in calls.calls if kind_of(call) is not None], calls.raised

    def target(self, run: str) -> Target | None:
        """Return what an expression calls in the end."""
        node = ast.parse(run, mode="eval").body
        if not isinstance(node, ast.Call):
            return self._element(node)
        protocol = PROTOCOLS.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if protocol and node.args:
            value = self._value(node.args[0])
            # Of a generator, what made it is what is asked about.
            if type(value).__module__ not in {"builtins", "itertools"}:
                return Target(type(value), protocol)
            return self.target(ast.unparse(node.args[0]))
        if isinstance(node.func, ast.Attribute):
            owner = self._value(node.func.value)
            if isinstance(owner, contextlib._GeneratorContextManager):
                return self.target(ast.unparse(node.func.value))
            if isinstance(owner, type):
                return Target(owner, node.func.attr)
            if not isinstance(owner, ModuleType):
                return Target(type(owner), node.func.attr)
        return Target(self._value(node.func))

    def _element(self, node: ast.expr) -> Target | None:
        """Return what an attribute or an index calls."""
        if isinstance(node, ast.Subscript):
            return Target(type(self._value(node.value)), "__getitem__")
        return None

    def _value(self, node: ast.expr) -> Any:
        return self.evaluated(ast.unparse(node))

    def evaluated(self, run: str) -> Any:
        """Return what an expression gives."""
        return eval(compile(run, EXERCISE, "eval"), self._around)

    def _refused_on_loop(self, code: CodeType) -> frozenset[tuple[str, str]]:
        """Return the functions that Django's guard left when the exercise ran on an event loop."""
        if not self._is_django:
            return frozenset()

        async def on_loop() -> None:
            eval(code, self._around)

        try:
            asyncio.run(on_loop())
        except Exception as error:
            if type(error).__name__ != "SynchronousOnlyOperation":
                return frozenset()
            shown = Places(str(ROOT)).shown
            frames = traceback.walk_tb(error.__traceback__)
            codes = [frame.f_code for frame, _ in frames]
            return frozenset((shown(each.co_filename), each.co_qualname) for each in codes)
        return frozenset()

    def _show_harmless(self, exercise: Exercise) -> None:
        if not exercise.in_memory:
            return
        code = compile(exercise.in_memory, EXERCISE, "eval")
        calls = calls_of(lambda: eval(code, self._around), root=ROOT)
        reached = [call.name for call in calls.calls if kind_of(call) is not None]
        blocked = [name for name in reached if not is_buffer(name)]
        if calls.raised or blocked:
            self.failed[exercise.in_memory] = calls.raised or f"blocks: {blocked}"
