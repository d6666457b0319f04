"""Hands each report to those who listen: from the watchdog's thread, never from the loop's.

What a listener raises is counted and goes nowhere; what comes faster than it can be handed on is
dropped, and counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from freeloop.watch.stretch import Stretch

Listener = Callable[[Stretch], object]

_CAP = 512

_listeners: list[Listener] = []
_waiting: deque[Stretch] = deque()


@dataclass(slots=True)
class Counts:
    """What happened to the reports of this process.

    Attributes:
        reported: Handed to the listeners.
        dropped: Lost because too many were waiting.
        failed: Calls of a listener that raised.
        own_errors: Mistakes of the watch itself, each of which cost at most one report.
    """

    reported: int = 0
    dropped: int = 0
    failed: int = 0
    own_errors: int = 0


counts = Counts()


def listen(listener: Listener) -> None:
    """Have the listener called with each stretch, in the watchdog's thread."""
    if listener not in _listeners:
        _listeners.append(listener)


def unlisten(listener: Listener) -> None:
    """Take the listener back; one that never listened is fine."""
    if listener in _listeners:
        _listeners.remove(listener)


def post(stretch: Stretch) -> None:
    """Leave a report for the watchdog to hand on; from any thread, never waits."""
    if len(_waiting) >= _CAP:
        counts.dropped += 1
    else:
        _waiting.append(stretch)


def hand_on() -> None:
    """Call the listeners with what was left; called by the watchdog alone."""
    while _waiting:
        stretch = _waiting.popleft()
        counts.reported += 1
        for listener in tuple(_listeners):
            try:
                listener(stretch)
            except Exception:
                counts.failed += 1


def forget() -> None:
    """Drop what waits: in a child after a fork it belongs to the parent."""
    _waiting.clear()
