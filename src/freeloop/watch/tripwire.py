"""Tells of the first step that a loop without a hook takes after it was idle.

Every step of a task, and whatever a thread hands over, is scheduled by `loop.call_soon`, looked up
on the loop. A function in its place, on that one loop and only while the watchdog dozes, takes
itself away when it is called: nothing is left in the way of the callbacks of a loop that works.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

_NAME = "call_soon"


class Tripwire:
    """Set by the watchdog's thread; walked into by the loop's.

    Attributes:
        tripped_ns: When it was last, `time.perf_counter_ns`.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, dozing: list[bool], wake: Callable[[], None]
    ) -> None:
        self._attributes: dict[str, Any] = getattr(loop, "__dict__", {})
        self._stock = loop.call_soon
        self._dozing = dozing
        self._wake = wake
        self.tripped_ns = 0
        self._wire = self._trip

    def set(self) -> bool:
        """Wait for the next step; return False where somebody else stands in that place."""
        return self._attributes.setdefault(_NAME, self._wire) is self._wire

    def take_away(self) -> None:
        """Leave the loop as it was, unless somebody has put theirs over ours since."""
        if self._attributes.get(_NAME) is self._wire:
            self._attributes.pop(_NAME, None)

    def _trip(self, *arguments: Any, **named: Any) -> Any:
        self.take_away()
        if self._dozing[0]:
            self.tripped_ns = time.perf_counter_ns()
            self._wake()
        return self._stock(*arguments, **named)
