"""Line steps of the project's own code, each with the variables that the line before changed."""

from __future__ import annotations

import gc
import inspect
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from threading import get_ident
from types import CodeType, FrameType, FunctionType
from typing import Any

from freeloop.record.clock import wall_ns
from freeloop.record.places import Spot
from freeloop.record.recorder import LaneState, Recorder
from freeloop.record.values import shown

MOST_VARIABLES = 40
# A loop that runs a line more often would be slowed down a hundred times, and nobody reads on.
MOST_OF_ONE_LINE = 100
SUSPENDS = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE

DISABLE = sys.monitoring.DISABLE

type Seen = dict[str, tuple[int, str]]


class Lines:
    """Callbacks that write steps; each looks at the frame that runs."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._frames: dict[FrameType, tuple[int, Seen]] = {}
        self._next = 0
        # By identity: hashing a code object hashes all of its instructions.
        self._runs: Counter[tuple[int, int]] = Counter()
        self._often: list[Spot] = []

    def line(self, code: CodeType, number: int) -> Any:
        """A line is about to run; one that runs too often is not looked at any more."""
        self._step(number, "line")
        key = (id(code), number)
        self._runs[key] += 1
        if self._runs[key] < MOST_OF_ONE_LINE:
            return None
        self._often.append((code, number))
        return DISABLE

    def cut_short(self) -> list[Spot]:
        """Return the lines whose later steps were left out."""
        return self._often

    def suspend(self, code: CodeType, _offset: int, _value: object) -> None:
        """A coroutine gives the loop back, with all that await it."""
        if code.co_flags & SUSPENDS:
            self._step(None, "suspend")

    def resume(self, code: CodeType, _offset: int) -> None:
        """It goes on."""
        if code.co_flags & SUSPENDS:
            self._step(None, "resume")

    def call(self, frame: FrameType, lane: LaneState) -> None:
        """A function of the project begins."""
        code = frame.f_code
        key = (id(code), 0)
        self._runs[key] += 1
        if self._runs[key] > MOST_OF_ONE_LINE:
            return
        if self._runs[key] == MOST_OF_ONE_LINE:
            self._often.append((code, code.co_firstlineno))
        self._write(frame, lane, frame.f_code.co_firstlineno, "call")

    def end(self, frame: FrameType, lane: LaneState, event: str) -> None:
        """It returns or raises."""
        if frame in self._frames:
            self._write(frame, lane, frame.f_lineno, event)
            del self._frames[frame]

    def _step(self, number: int | None, event: str) -> None:
        recorder = self.recorder
        lane = recorder.here.get(get_ident())
        if lane is None or not recorder.active:
            return
        try:
            frame = sys._getframe(2)
            self._write(frame, lane, frame.f_lineno if number is None else number, event)
        except Exception as fault:
            recorder.fault("line", fault)

    def _write(self, frame: FrameType, lane: LaneState, line: int, event: str) -> None:
        recorder = self.recorder
        if event != "call" and frame not in self._frames:
            return  # of a function that is called too often
        if not recorder.steps.reserve():
            return
        known = self._frames.get(frame)
        if known is None:
            self._next += 1
            known = self._frames[frame] = (self._next, {})
        number, seen = known
        now = wall_ns()
        changed = tuple(changes(seen, frame.f_locals))
        recorder.steps.put((now, lane.id, (frame.f_code, line), number, event, changed))


def changes(seen: Seen, found: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and "new", "changed" or "gone" of what differs; remember what is now.

    Two values are the same when they are the same object or look the same as plain data: asking
    them with `==` would run their own code.
    """
    now = [name for name in found if not name.startswith((".", "__"))][:MOST_VARIABLES]
    for name in [name for name in seen if name not in found]:
        _, text = seen.pop(name)
        yield name, text, "gone"
    for name in now:
        try:
            value = found[name]
        except KeyError:  # deleted meanwhile
            continue
        text, identity = shown(name, value), id(value)
        before = seen.get(name)
        if before is None:
            yield name, text, "new"
        elif text != before[1] or (identity != before[0] and id(type(value)) not in LOOKS_TELL):
            yield name, text, "changed"
        seen[name] = (identity, text)


# A new object of these that looks the same is no change. By identity: see values.
LOOKS_TELL = frozenset(map(id, (int, float, str, bool, type(None), bytes, complex)))


def project_codes(recorder: Recorder) -> list[CodeType]:
    """Return the code of every function of the project that is alive, with the functions in it."""
    found: dict[CodeType, None] = {}
    for thing in gc.get_objects():
        if type(thing) is FunctionType and recorder.places.is_project(thing.__code__):
            for code in _with_inner(thing.__code__):
                found[code] = None
    return list(found)


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)
