"""Queries through Django, and how long each of its connections was held.

Parameters are never shown, and what is written into the SQL itself is masked. With a pool, a
connection is held from the pool's giving to the taking back. Seen on Django 5.2, 6.0 and 6.1.
"""

from __future__ import annotations

from functools import partial
from types import FrameType
from typing import Any

from freeloop.model.trace import LaneKind, MarkKind
from freeloop.record.monitor import Call
from freeloop.record.names import class_name
from freeloop.record.recorder import Detail, LaneState, Recorder, Span
from freeloop.record.sql import masked
from freeloop.record.watch import Watch

LIBRARY = ("django.db.backends.utils", "django")


def install(watch: Watch) -> None:
    """Watch each execution, and the opening and closing of connections."""
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    held = _Connections(watch.recorder)
    cursor: Any = CursorWrapper
    for method in (cursor._execute, cursor._executemany):
        watch.call(method, Call(MarkKind.QUERY, held.query), "self", "sql")
    watch.call(cursor.callproc, Call(MarkKind.QUERY, held.procedure), "self", "procname")
    for name, ended in (("connect", held.opened), ("close", held.closed)):
        # `async_unsafe` stands around both: it looks for a running loop, and calls.
        method = getattr(getattr(BaseDatabaseWrapper, name), "__wrapped__", None)
        watch.call(
            method or getattr(BaseDatabaseWrapper, name),
            Call(MarkKind.CONNECTION, began=partial(held.about_to, name), ended=ended),
            "self",
        )


class _Connections:
    """Lanes of the connections that are held."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._held: dict[int, tuple[object, Span]] = {}
        self._lanes: dict[int, tuple[object, LaneState]] = {}

    def query(self, frame: FrameType) -> tuple[str, Detail | None]:
        """Tell the statement, and see that its connection has a lane."""
        sql = frame.f_locals["sql"]
        detail = self._used(frame)
        if "param_list" in frame.f_code.co_varnames:
            detail["many"] = True
        return masked(sql) if type(sql) is str else class_name(type(sql)), detail

    def procedure(self, frame: FrameType) -> tuple[str, Detail | None]:
        """Tell the procedure."""
        name = frame.f_locals["procname"]
        return f"CALL {name}" if type(name) is str else "CALL", self._used(frame)

    def about_to(self, what: str, frame: FrameType, lane: LaneState | None) -> None:
        """Nothing is held before it is there, or given back before it is gone."""

    def opened(self, frame: FrameType, _value: object) -> None:
        """A connection was opened, or fetched from the pool."""
        wrapper = frame.f_locals["self"]
        if wrapper.connection is not None:
            self._begin(wrapper, {"opened": "now"})

    def closed(self, frame: FrameType, _value: object) -> None:
        """It was closed, or given back to the pool."""
        held = self._held.pop(id(frame.f_locals["self"]), None)
        if held is not None:
            self._recorder.end(held[1])

    def _used(self, frame: FrameType) -> Detail:
        wrapper = frame.f_locals["self"].db
        known = self._held.get(id(wrapper))
        # Kept open by an earlier request: it is held from here on at the latest.
        span = known[1] if known else self._begin(wrapper, {"opened": "before"})
        return {"alias": str(wrapper.alias), "connection": span.lane.id if span else None}

    def _begin(self, wrapper: Any, detail: Detail) -> Span | None:
        recorder = self._recorder
        lane = self._lane_of(wrapper)
        worker = recorder.lane()
        pooled = bool(wrapper.settings_dict.get("OPTIONS", {}).get("pool"))
        whose = None if worker is None else worker.id
        detail = {**detail, "alias": str(wrapper.alias), "thread_lane": whose, "pooled": pooled}
        span = recorder.begin(
            MarkKind.CONNECTION,
            lane,
            str(wrapper.alias),
            detail=detail,
            spot=worker.spot if worker else None,
            around=False,
        )
        if span is not None:
            self._held[id(wrapper)] = (wrapper, span)
        return span

    def _lane_of(self, wrapper: Any) -> LaneState:
        known = self._lanes.get(id(wrapper))
        if known is not None:
            return known[1]
        recorder = self._recorder
        number = sum(lane.kind is LaneKind.CONNECTION for lane in recorder.lanes) + 1
        name = f"connection {wrapper.alias}" + (f" {number}" if number > 1 else "")
        lane = recorder.new_lane(LaneKind.CONNECTION, name, recorder.lane())
        self._lanes[id(wrapper)] = (wrapper, lane)
        return lane
