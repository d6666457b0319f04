"""Something that goes on over several looks, and is reported once."""

from __future__ import annotations

from dataclasses import dataclass

from freeloop.watch import reports
from freeloop.watch.origin import Origin
from freeloop.watch.route import resolved_again, route_of
from freeloop.watch.stretch import Cause, Frame, Stretch, kind_of
from freeloop.watch.verdict import unix_time

# Shorter ones are how threads and pools are meant to be used.
LEAST_NS = 100_000_000
# Reported while it goes on, so that what never ends is told too.
LONGEST_NS = 1_000_000_000


@dataclass(slots=True)
class Episode:
    """One of them.

    Attributes:
        cause: Which hidden kind.
        since_ns: When it was first seen.
        last_ns: When it was last seen.
        frames: Stack to report.
        origin: Request that it belongs to.
        task: Name of its task.
        other: Second stack.
        looks: How often it was seen.
        reported: Whether it has been.
    """

    cause: Cause
    since_ns: int
    last_ns: int
    frames: tuple[Frame, ...]
    origin: Origin | None = None
    task: str | None = None
    other: tuple[Frame, ...] = ()
    looks: int = 1
    reported: bool = False

    def again(self, at_ns: int) -> None:
        """Note that it is still there; report it if it has been for long."""
        self.last_ns = at_ns
        self.looks += 1
        route_of(self.origin, [])  # remembered there: at the end the request may be gone
        if at_ns - self.since_ns >= LONGEST_NS:
            self.report()

    def report(self) -> None:
        """Report it, once, if it was long enough."""
        length_ns = self.last_ns - self.since_ns
        if self.reported or length_ns < LEAST_NS:
            return
        self.reported = True
        origin = self.origin
        reports.post(
            Stretch(
                kind=kind_of(self.cause),
                cause=self.cause,
                ms=length_ns / 1e6,
                frames=self.frames,
                route=_route(origin),
                path=None if origin is None else origin.path,
                task=self.task,
                started=unix_time(self.since_ns),
                confidence=1.0 - 0.5**self.looks,
                other=self.other,
            )
        )


def _route(origin: Origin | None) -> str | None:
    if origin is None:
        return None
    return route_of(origin, []) or resolved_again(origin.path)
