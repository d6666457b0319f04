"""Calls from a thread back to the event loop: asgiref's `AsyncToSync`.

Hops the other way are seen by the loop itself (freeloop.record.loop). Seen on asgiref 3.8 to 3.13.
"""

from __future__ import annotations

from types import FrameType

from freeloop.model.trace import MarkKind
from freeloop.record.monitor import Call
from freeloop.record.names import function_name
from freeloop.record.recorder import Detail
from freeloop.record.watch import Watch

LIBRARY = ("asgiref.sync", "asgiref")


def install(watch: Watch) -> None:
    """Watch the call."""
    from asgiref.sync import AsyncToSync

    watch.call(AsyncToSync.__call__, Call(MarkKind.BACK, back), "self", "main_event_loop")


def back(frame: FrameType) -> tuple[str, Detail | None]:
    """Tell which coroutine function is called."""
    return function_name(frame.f_locals["self"].awaitable), None
