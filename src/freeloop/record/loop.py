"""The event loop of a recorded request: the standard one, which tells of its tasks and hops."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from threading import get_ident
from typing import Any

from freeloop.model.trace import MarkKind
from freeloop.record.names import class_name, function_name
from freeloop.record.recorder import OWNER, LaneState, Recorder, Span
from freeloop.record.steps import drive


class RecordedLoop(asyncio.SelectorEventLoop):
    """Marks tasks that the request starts and calls that it hands to threads.

    A loop of our own sees every hop, asgiref's as well as `asyncio.to_thread`, through a public
    method, so nothing has to be patched. A task factory that the project sets stays the project's.
    """

    recorder: Recorder | None = None

    def create_task(self, coro: Any, **named: Any) -> Any:
        """Create a task; one of the recorded request gets a lane."""
        recorder = self.recorder
        if recorder is not None and recorder.active and asyncio.iscoroutine(coro):
            parent = recorder.lane() or OWNER.get(None)
            if parent is not None:
                coro = drive(recorder, coro, parent)
        return super().create_task(coro, **named)

    def run_in_executor(  # type: ignore[override] # whatever its caller gives
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """Hand a call to a thread; one of the recorded request is a hop."""
        recorder = self.recorder
        lane = recorder.lane() if recorder is not None else None
        if recorder is None or lane is None:
            return super().run_in_executor(executor, func, *args)
        text = function_name(func)
        how = _how(executor)
        spot, in_project = recorder.places.deepest(sys._getframe(1))
        spot = spot if in_project else lane.spot or spot
        hop = recorder.begin(
            MarkKind.HOP,
            lane,
            text,
            spot=spot,
            detail={"how": how, "executor": class_name(type(executor))},
            around=False,
        )
        if hop is not None and how != "process":
            func = Worked(recorder, func, lane, hop, spot if in_project else lane.spot)
        future = super().run_in_executor(executor, func, *args)
        if hop is not None:
            lane.hops.append((future, hop))
        return future


class Worked:
    """A call on its way to a thread: marks WORK around it, on the thread's lane."""

    def __init__(
        self, recorder: Recorder, func: Callable[..., Any], parent: LaneState, hop: Span, spot: Any
    ) -> None:
        self._recorder = recorder
        self._func = func
        self._parent = parent
        self._hop = hop
        self._spot = spot

    def __call__(self, *args: Any) -> Any:
        """Make the call."""
        __traceback_hide__ = True  # noqa: F841 - Django's error page leaves the frame out
        if not self._recorder.active:
            return self._func(*args)
        with Work(self._recorder, self._parent, self._spot, self._hop):
            return self._func(*args)


class Work:
    """A thread's stretch of work for the request."""

    def __init__(
        self, recorder: Recorder, parent: LaneState, spot: Any, hop: Span, text: str = ""
    ) -> None:
        self._recorder = recorder
        self._parent = parent
        self._spot = spot
        self._hop = hop
        self._text = text or hop.text

    def __enter__(self) -> None:
        recorder = self._recorder
        thread = get_ident()
        self._before = recorder.here.get(thread)
        lane = self._lane = recorder.thread_lane(self._parent)
        self._run, self._old_spot = lane.run, lane.spot
        lane.spot = self._spot or lane.spot
        self._mark = recorder.begin_as(MarkKind.WORK, lane, self._hop.id, self._text)
        recorder.here[thread] = lane

    def __exit__(self, kind: type[BaseException] | None, *_raised: object) -> None:
        recorder, thread, lane = self._recorder, get_ident(), self._lane
        detail = {"ended": "return" if kind is None else class_name(kind)}
        recorder.end(self._mark, detail=detail, clocks=True)  # type: ignore[arg-type]
        lane.spot, lane.run = self._old_spot, self._run
        if self._before is None:
            recorder.here.pop(thread, None)
        else:
            recorder.here[thread] = self._before


def _how(executor: Any) -> str:
    if executor is None or isinstance(executor, ThreadPoolExecutor):
        return "thread"
    kinds = {kind.__name__ for kind in type(executor).__mro__}
    if kinds & {"ProcessPoolExecutor", "InterpreterPoolExecutor"}:
        return "process"  # what it is given is pickled: ours could not be
    return "waiting thread" if isinstance(executor, Executor) else "other"
