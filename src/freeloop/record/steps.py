"""Drives a coroutine for its task and marks when it has the loop, and where it gives it back."""

from __future__ import annotations

import sys
from collections.abc import Coroutine, Generator
from threading import get_ident
from types import CodeType, FrameType
from typing import Any

from freeloop.model.trace import LaneKind, MarkKind
from freeloop.record.names import class_name
from freeloop.record.recorder import OWNER, LaneState, Recorder, Span


class Driver(Coroutine[Any, Any, Any]):
    """A coroutine around another: forwards `send`, `throw` and `close`, marks each RUN.

    Debuggers, `asyncio` and `Task.get_stack` look at the attributes of a coroutine: they get those
    of the one inside.
    """

    def __init__(self, inner: Any, recorder: Recorder, lane: LaneState, task: Span | None) -> None:
        self._inner = inner
        self._recorder = recorder
        self._task = task
        self.lane = lane
        self.__name__ = getattr(inner, "__name__", type(inner).__name__)
        self.__qualname__ = getattr(inner, "__qualname__", type(inner).__qualname__)

    def send(self, value: Any) -> Any:
        """Let the coroutine run to its next suspension."""
        __traceback_hide__ = True  # noqa: F841 - Django's error page leaves the frame out
        if not self._recorder.active:
            return self._inner.send(value)
        return self._run(self._inner.send, value)

    def throw(self, *raised: Any) -> Any:
        """Raise in the coroutine, and let it run to its next suspension."""
        __traceback_hide__ = True  # noqa: F841
        if not self._recorder.active:
            return self._inner.throw(*raised)
        return self._run(self._inner.throw, *raised)

    def close(self) -> None:
        """Close the coroutine."""
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        result: Any = yield from self._inner.__await__()
        return result

    @property
    def cr_await(self) -> Any:
        """What the coroutine awaits."""
        return getattr(self._inner, "cr_await", None)

    @property
    def cr_code(self) -> CodeType | None:
        """Code of the coroutine."""
        return getattr(self._inner, "cr_code", None)

    @property
    def cr_frame(self) -> FrameType | None:
        """Frame of the coroutine; None when it has ended."""
        return getattr(self._inner, "cr_frame", None)

    @property
    def cr_running(self) -> bool:
        """Whether it runs now."""
        return bool(getattr(self._inner, "cr_running", False))

    def _run(self, go_on: Any, *given: Any) -> Any:
        __traceback_hide__ = True  # noqa: F841
        recorder, lane = self._recorder, self.lane
        thread = get_ident()
        before = recorder.here.get(thread)
        run = self._resumed(thread)
        try:
            awaited = go_on(*given)
        except BaseException as ended:
            self._ended(run, ended)
            raise
        else:
            self._suspended(run)
            return awaited
        finally:
            lane.run = None
            if before is None:
                recorder.here.pop(thread, None)
            else:
                recorder.here[thread] = before

    def _resumed(self, thread: int) -> Span | None:
        recorder, lane = self._recorder, self.lane
        run = None
        try:
            OWNER.set(lane)
            run = recorder.begin(MarkKind.RUN, lane, clocks=True, around=False)
            lane.run = run.id if run is not None else None
            if lane.hops:
                end_hops(recorder, lane)
        except Exception as fault:
            recorder.fault("resume", fault)
        recorder.here[thread] = lane
        return run

    def _suspended(self, run: Span | None) -> None:
        recorder = self._recorder
        try:
            spot, awaited = recorder.places.await_point(self._inner)
            if self.lane.hops:
                awaited = self.lane.hops[-1][1].text
            recorder.end(run, awaited, spot=spot, clocks=True)
        except Exception as fault:
            recorder.fault("suspend", fault)

    def _ended(self, run: Span | None, ended: BaseException) -> None:
        recorder = self._recorder
        try:
            how = "return" if isinstance(ended, StopIteration) else class_name(type(ended))
            recorder.end(run, "", detail={"ended": how}, clocks=True)
            recorder.end(self._task, detail={"ended": how})
        except Exception as fault:
            recorder.fault("end", fault)


def drive(recorder: Recorder, inner: Any, parent: LaneState) -> Driver:
    """Return the driver of a task's coroutine, on a lane of its own."""
    name = getattr(inner, "__qualname__", type(inner).__qualname__)
    lane = recorder.new_lane(LaneKind.TASK, f"task {name.removesuffix('.<locals>')}", parent)
    spot, in_project = recorder.places.deepest(sys._getframe(1))
    # A task that runs a library's coroutine is put down to the line that started it.
    lane.spot = spot if in_project else parent.spot
    task = recorder.begin(
        MarkKind.TASK,
        lane,
        name,
        spot=lane.spot or spot,
        around=False,
        detail={"started_by": parent.id},
    )
    return Driver(inner, recorder, lane, task)


def end_hops(recorder: Recorder, lane: LaneState) -> None:
    """Mark the end of the hops whose results this lane has now been resumed with."""
    waiting = []
    for future, hop in lane.hops:
        if future.done():
            recorder.end(hop)
        else:
            waiting.append((future, hop))
    lane.hops = waiting
