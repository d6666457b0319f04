"""Threads that the request starts, and calls that it hands to a thread pool without the loop.

`concurrent.futures` of 3.12 and 3.13; a pool's own thread is no work, what it is given is.
"""

from __future__ import annotations

import concurrent.futures.thread as pools
import threading
from types import FrameType
from typing import Any

from freeloop.model.trace import MarkKind
from freeloop.record.loop import Work, Worked
from freeloop.record.monitor import Call
from freeloop.record.names import function_name
from freeloop.record.recorder import LaneState, Span
from freeloop.record.watch import Watch

LIBRARY = ("concurrent.futures.thread", "")


def install(watch: Watch) -> None:
    """Watch a thread's start and run, and an item's way through a pool."""
    seen = _Threads(watch)
    thread: Any = threading.Thread
    item: Any = pools._WorkItem
    watch.call(thread.start, Call(MarkKind.THREAD_STARTED, began=seen.started), "self")
    watch.call(
        thread._bootstrap_inner,
        Call(MarkKind.WORK, began=seen.runs, ended=seen.ends, anywhere=True),
        "self",
    )
    watch.call(item.__init__, Call(MarkKind.WORK, began=seen.submitted), "self", "fn")
    watch.call(
        item.run, Call(MarkKind.WORK, began=seen.runs, ended=seen.ends, anywhere=True), "self"
    )


class _Threads:
    """What was started or submitted, and has not run yet."""

    def __init__(self, watch: Watch) -> None:
        self._recorder = watch.recorder
        self._waiting: dict[int, tuple[LaneState, Any, Span]] = {}
        self._working: dict[FrameType, Work] = {}

    def started(self, frame: FrameType, lane: LaneState | None) -> None:
        thread = frame.f_locals["self"]
        if lane is None or not isinstance(thread, threading.Thread):
            return
        target = getattr(thread, "_target", None)
        name = function_name(target or type(thread).run)
        self._recorder.point(MarkKind.THREAD_STARTED, lane, name, frame=frame.f_back)
        if target is not pools._worker:
            self._wait(thread, lane, frame, name)

    def submitted(self, frame: FrameType, lane: LaneState | None) -> None:
        function = frame.f_locals["fn"]
        if lane is not None and not isinstance(function, Worked):  # the loop marks those itself
            self._wait(frame.f_locals["self"], lane, frame, function_name(function))

    def runs(self, frame: FrameType, _lane: LaneState | None) -> None:
        waiting = self._waiting.pop(id(frame.f_locals["self"]), None)
        if waiting is None:
            return
        parent, spot, span = waiting
        work = self._working[frame] = Work(self._recorder, parent, spot, span)
        work.__enter__()

    def ends(self, frame: FrameType, _value: object) -> None:
        work = self._working.pop(frame, None)
        if work is not None:
            work.__exit__(None, None, None)

    def _wait(self, thing: object, lane: LaneState, frame: FrameType, name: str) -> None:
        spot, in_project = self._recorder.places.deepest(frame.f_back)
        number = self._recorder.new_id()
        self._waiting[id(thing)] = (
            lane,
            spot if in_project else lane.spot,
            Span(MarkKind.WORK, number, lane, name),
        )
