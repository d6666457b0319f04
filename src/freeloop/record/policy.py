"""Event loops that the request itself starts: those of `asyncio.run` are recorded too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from freeloop.record.loop import RecordedLoop
from freeloop.record.recorder import Recorder


def recorded_loop(recorder: Recorder) -> RecordedLoop:
    """Return an event loop that tells its recorder."""
    loop = RecordedLoop()
    loop.recorder = recorder
    return loop


@contextmanager
def recording_loops(recorder: Recorder) -> Iterator[None]:
    """Make `asyncio.run` use recorded loops: asgiref runs an async view under WSGI by it."""

    class RecordedPolicy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self) -> asyncio.AbstractEventLoop:
            return recorded_loop(recorder)

    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(RecordedPolicy())
    try:
        yield
    finally:
        asyncio.set_event_loop_policy(before)
