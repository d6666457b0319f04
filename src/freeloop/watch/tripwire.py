"""Tells of the first step that a loop without a hook takes after it was idle.

Every step of a task, and whatever a thread hands over, is scheduled by `loop.call_soon`, looked up
on the loop. A function in its place, on that one loop and only while the watchdog dozes, takes
itself away when it wakes the watchdog: nothing is left in the way of the callbacks of a loop that
works. Where the watchdog need not come at once, the function stays until the loop has nothing left
to do, and puts that off.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from typing import Any

from freeloop.watch.summons import Summons

_NAME = "call_soon"
_NOTES_APART_NS = 500_000_000
# A plain callback does not walk into the wire. Servers take a step more often than that.
_STILL_NS = 200_000_000


class Tripwire:
    """Set by the watchdog's thread; walked into by the loop's.

    Attributes:
        tripped_ns: When it was last, `time.perf_counter_ns`.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, summons: Summons, note: Callable[[], None]
    ) -> None:
        self._attributes: dict[str, Any] = getattr(loop, "__dict__", {})
        self._stock = loop.call_soon
        self._summons = summons
        self._note = note
        self.tripped_ns = 0
        self._wire = self._trip
        self._steps = self._steps_seen = self._noted_ns = 0

    def set(self) -> bool:
        """Wait for the next step; return False where somebody else stands in that place."""
        return self._attributes.setdefault(_NAME, self._wire) is self._wire

    def take_away(self) -> None:
        """Leave the loop as it was, unless somebody has put theirs over ours since."""
        if self._attributes.get(_NAME) is self._wire:
            self._attributes.pop(_NAME, None)

    def _trip(self, *arguments: Any, **named: Any) -> Any:
        if not self._summons.dozing[0]:
            self.take_away()
            return self._stock(*arguments, **named)
        self._steps += 1
        if self._summons.under_way[0]:
            return self._stock(*arguments, **named)
        now_ns = self.tripped_ns = time.perf_counter_ns()
        if now_ns - self._noted_ns >= _NOTES_APART_NS:
            self._noted_ns = now_ns
            self._note()
        comes_later = self._summons.send()
        step = self._stock(*arguments, **named)
        if comes_later:
            self._look_again()
        else:
            self.take_away()
        return step

    def _look_again(self) -> None:
        # Behind the steps that are ready now. In a context of its own: it is nobody's work.
        self._steps_seen = self._steps
        self._stock(self._passed, context=contextvars.Context())

    def _passed(self) -> None:
        if self._summons.dozing[0] and self._steps != self._steps_seen:
            self._look_again()
            return
        if self._summons.dozing[0]:
            self._summons.put_off(_STILL_NS)
        else:
            self._summons.take_back()
            self.take_away()
