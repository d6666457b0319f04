"""What holds nobody's loop and still makes requests wait; the watchdog looks now and then."""

from __future__ import annotations

import asyncio
from types import FrameType

from freeloop.watch.loops import WatchedLoop


class Hidden:
    """All kinds of hidden bottlenecks, in the order in which they are looked for."""

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with a loop, on its own thread."""

    def detach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take every hook on a loop back."""

    def look(self, loops: list[WatchedLoop], frames: dict[int, FrameType], at_ns: int) -> None:
        """Look once; called every fifty milliseconds while something runs."""
