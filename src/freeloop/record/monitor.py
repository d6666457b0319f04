"""Calls of chosen functions, seen by `sys.monitoring`: nothing of theirs is replaced.

Events are local to the chosen code objects, so all other code runs at full speed. A call that
raises has no local event (3.12, 3.13): for that, frames that unwind are looked at everywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from threading import get_ident
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from freeloop.errors import FreeloopError
from freeloop.model.trace import MarkKind
from freeloop.record.names import class_name
from freeloop.record.recorder import Detail, LaneState, Recorder, Span
from freeloop.record.values import shown_error

if TYPE_CHECKING:
    from freeloop.record.lines import Lines

TOOL_NAME = "freeloop"
# 0 to 2 and 5 are spoken for by debuggers, coverage, profilers and optimizers.
TOOL_IDS = (3, 4, 1, 5)
MOST_FRAMES = 12

events = sys.monitoring.events
STEP_EVENTS = (
    *(events.PY_START, events.PY_RETURN),
    *(events.LINE, events.PY_YIELD, events.PY_RESUME),
)


@dataclass(frozen=True, slots=True)
class Call:
    """What to mark of the calls of one function.

    Attributes:
        kind: Of the mark.
        begin: Frame to text and detail; None to leave this call out.
        end: Frame and returned value (None when it raised) to text and detail; None for those of
            the begin.
        alone: Leave out calls inside a pair of the same kind on the same lane: a client that
            calls another client is one call out.
        inside: Leave out calls inside pairs of these kinds.
        began: Called instead of marking, for those who mark by themselves.
        ended: The same for the end.
        anywhere: Call `began` also on threads that do not work for the request yet.
    """

    kind: MarkKind
    begin: Callable[[FrameType], tuple[str, Detail | None] | None] = lambda _frame: None
    end: Callable[[FrameType, Any], tuple[str | None, Detail | None]] | None = None
    alone: bool = False
    inside: tuple[MarkKind, ...] = ()
    began: Callable[[FrameType, LaneState | None], object] | None = None
    ended: Callable[[FrameType, Any], object] | None = None
    anywhere: bool = False


class Monitor:
    """Local events of chosen code objects, and the line steps of others."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        # By identity: hashing a code object hashes all of its instructions.
        self._calls: dict[int, Call] = {}
        self._open: dict[FrameType, tuple[Call, Span | None]] = {}
        self._raised: list[BaseException] = []
        self._local: dict[int, CodeType] = {}
        self.lines: Lines | None = None
        self.tool = taken_tool_id()
        monitoring = sys.monitoring
        for event, callback in (
            (events.PY_START, self._start),
            (events.PY_RETURN, self._return),
            (events.PY_UNWIND, self._unwind),
        ):
            monitoring.register_callback(self.tool, event, callback)
        monitoring.set_events(self.tool, events.PY_UNWIND)

    def watch(self, function: Any, call: Call) -> None:
        """Mark the calls of a function, or of a code object."""
        code = function if isinstance(function, CodeType) else code_of(function)
        if id(code) in self._calls:
            return
        self._calls[id(code)] = call
        self._add(code, events.PY_START | events.PY_RETURN)

    def step(self, codes: list[CodeType], lines: Lines) -> None:
        """Report each line of these code objects."""
        if self.lines is None:
            self.lines = lines
            register = sys.monitoring.register_callback
            register(self.tool, events.LINE, lines.line)
            register(self.tool, events.PY_YIELD, lines.suspend)
            register(self.tool, events.PY_RESUME, lines.resume)
        for code in codes:
            self._add(code, sum(STEP_EVENTS))

    def remove(self) -> None:
        """Give everything back; a mark that is still open stays so."""
        # A tool id that is given back keeps its events and callbacks, and with them the recorder.
        sys.monitoring.set_events(self.tool, events.NO_EVENTS)
        sys.monitoring.restart_events()  # of lines that were not looked at any more
        for code in self._local.values():
            sys.monitoring.set_local_events(self.tool, code, events.NO_EVENTS)
        for event in (*STEP_EVENTS, events.PY_UNWIND):
            sys.monitoring.register_callback(self.tool, event, None)
        sys.monitoring.free_tool_id(self.tool)
        self._open.clear()
        self._raised.clear()

    def _add(self, code: CodeType, wanted: int) -> None:
        self._local[id(code)] = code
        had = sys.monitoring.get_local_events(self.tool, code)
        sys.monitoring.set_local_events(self.tool, code, had | wanted)

    def _start(self, code: CodeType, _offset: int) -> None:
        recorder = self.recorder
        if not recorder.active:
            return
        try:
            lane = recorder.here.get(get_ident())
            call = self._calls.get(id(code))
            if call is not None and (lane is not None or call.anywhere):
                self._begin(call, sys._getframe(1), lane)
            if lane is None:
                return
            if self.lines is not None and recorder.places.is_project(code):
                self.lines.call(sys._getframe(1), lane)
        except Exception as fault:
            recorder.fault(f"start of {code.co_qualname}", fault)

    def _begin(self, call: Call, frame: FrameType, lane: LaneState | None) -> None:
        if call.began is not None:
            call.began(frame, lane)
            if call.ended is not None:
                self._open[frame] = call, None
            return
        if lane is None or (call.alone and call.kind in lane.kinds):
            return
        if any(kind in lane.kinds for kind in call.inside):
            return
        said = call.begin(frame)
        if said is None:
            return
        text, detail = said
        span = self.recorder.begin(
            call.kind, lane, text, detail=detail, frame=frame.f_back or frame
        )
        self._open[frame] = call, span

    def _return(self, code: CodeType, _offset: int, value: Any) -> None:
        recorder = self.recorder
        try:
            if self._open and id(code) in self._calls:
                self._end(sys._getframe(1), value, None)
            if self.lines is not None and recorder.places.is_project(code):
                lane = recorder.lane()
                if lane is not None:
                    self.lines.end(sys._getframe(1), lane, "return")
        except Exception as fault:
            recorder.fault(f"return of {code.co_qualname}", fault)

    def _unwind(self, code: CodeType, _offset: int, raised: BaseException) -> None:
        recorder = self.recorder
        try:
            if id(code) in self._calls:
                self._end(sys._getframe(1), None, raised)
            if recorder.places.is_project(code):
                lane = recorder.lane()
                if lane is not None:
                    self._leaves_project(sys._getframe(1), lane, raised)
        except Exception as fault:
            recorder.fault(f"unwind of {code.co_qualname}", fault)

    def _end(self, frame: FrameType, value: Any, raised: BaseException | None) -> None:
        opened = self._open.pop(frame, None)
        if opened is None:
            return
        call, span = opened
        if call.ended is not None:
            call.ended(frame, value)
            return
        text: str | None = None
        detail: Detail | None = None
        if raised is not None:
            detail = {"raised": class_name(type(raised))}
        try:
            if raised is None and call.end is not None:
                text, detail = call.end(frame, value)
        finally:  # also where the answer has another shape than the probe knows
            self.recorder.end(span, text, detail=detail)

    def _leaves_project(self, frame: FrameType, lane: LaneState, raised: BaseException) -> None:
        if self.lines is not None:
            self.lines.end(frame, lane, "raise")
        if any(known is raised for known in self._raised):
            return  # on its way up
        self._raised.append(raised)
        self.recorder.point(
            MarkKind.RAISED,
            lane,
            shown_error(raised),
            spot=(frame.f_code, frame.f_lineno),
            detail={"stack": self._stack(raised, frame)},
        )

    def _stack(self, raised: BaseException, frame: FrameType) -> str:
        """Return the lines from where it was raised to the outermost await or call above it."""
        places = self.recorder.places
        below = []
        step = raised.__traceback__
        while step is not None:
            below.append((step.tb_frame.f_code, step.tb_lineno))
            step = step.tb_next
        spots = [*reversed(below), *places.stack(frame.f_back)]
        shown = [places.resolve(spot) for spot in spots if places.origin(spot[0]) is not None]
        return " < ".join(
            f"{place.path}:{place.line} {place.function}" for place in shown[:MOST_FRAMES]
        )


def taken_tool_id() -> int:
    """Take a tool id of `sys.monitoring` that nobody has, and return it.

    Raises:
        FreeloopError: If there is none.
    """
    for number in TOOL_IDS:
        if sys.monitoring.get_tool(number) is None:
            sys.monitoring.use_tool_id(number, TOOL_NAME)
            return number
    raise FreeloopError(
        "no-monitoring-tool",
        what="no tool id of sys.monitoring is free in the project's process",
        where=", ".join(str(sys.monitoring.get_tool(number)) for number in TOOL_IDS),
        mend="record without the debuggers and profilers named above",
    )


def code_of(function: Any) -> CodeType:
    """Return the code of a function, a method, or a class method as the class holds it."""
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        raise TypeError(f"{class_name(type(function))} is not written in Python")
    return code
