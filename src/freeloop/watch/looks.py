"""The clocks at the moments in which somebody looked at them, and what they can have shown between.

The watchdog looks at every tick, and late on a busy host. The loop's own thread looks as it wakes
the watchdog, and at the end of a long stretch: what the host did to it before the start and after
the end is no part of the stretch. Linux counts a wait for a core only once it is over, so that of
another thread no look tells whether it sleeps or waits for one; of the own thread each does.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from freeloop.watch.clocks import Reading

_KEPT, _OWN_KEPT = 4, 32


@dataclass(frozen=True, slots=True)
class Look:
    """The clocks at one moment, in nanoseconds.

    Attributes:
        reading: Of the loop's thread.
        process_ns: CPU time of the process.
        watchdog_ns: Run-queue delay of the watchdog so far.
    """

    reading: Reading
    process_ns: int
    watchdog_ns: int = 0


class Looks:
    """The last few, of the watchdog and of the loop's thread."""

    def __init__(self, first: Look) -> None:
        self._noted = deque([first], maxlen=_KEPT)
        self._own: deque[Look] = deque(maxlen=_OWN_KEPT)

    def note(self, look: Look) -> None:
        """Keep one more of the watchdog."""
        self._noted.append(look)

    def note_own(self, reading: Reading, process_ns: int) -> None:
        """Keep one more of the loop's own thread; of the watchdog's delay it knows nothing new."""
        self._own.append(Look(reading, process_ns, self._noted[-1].watchdog_ns))

    def last(self, until_ns: int) -> Look:
        """Return the last one up to a moment; the oldest, where all are later."""
        earlier, later = _around(until_ns, [*self._noted, *self._own])
        return earlier or later or self._noted[-1]

    def before(self, start_ns: int) -> Look:
        """Return the least that the clocks can have shown at the start of a stretch.

        From then to the next look no clock has gone on by more than that time.
        """
        earlier, later = _around(start_ns, [*self._noted, *self._own])
        if earlier is None or later is None:
            return later or self._noted[-1]
        gone_ns = later.reading.at_ns - start_ns
        return Look(
            Reading(
                start_ns,
                max(earlier.reading.cpu_ns, later.reading.cpu_ns - gone_ns),
                max(earlier.reading.delay_ns, later.reading.delay_ns - gone_ns),
            ),
            max(earlier.process_ns, later.process_ns - gone_ns),
            max(earlier.watchdog_ns, later.watchdog_ns - gone_ns),
        )

    def after(self, end_ns: int) -> Look:
        """Return the most that the clocks can have shown at the end of a stretch."""
        earlier, later = _around(end_ns, list(self._noted))
        last = later or self._noted[-1]
        own = next((each for each in list(self._own) if each.reading.at_ns >= end_ns), last)
        if own.reading.at_ns < last.reading.at_ns or later is None:
            last = Look(own.reading, own.process_ns, last.watchdog_ns)
        if earlier is None:
            return last
        # The watchdog ran at the look before, so that its clock was complete.
        watchdog_ns = earlier.watchdog_ns + end_ns - earlier.reading.at_ns
        return Look(last.reading, last.process_ns, min(last.watchdog_ns, watchdog_ns))


def _around(at_ns: int, looks: list[Look]) -> tuple[Look | None, Look | None]:
    """Return the looks before and after a moment; two threads may have noted them out of order."""
    earlier = [each for each in looks if each.reading.at_ns <= at_ns]
    later = [each for each in looks if each.reading.at_ns > at_ns]
    return (
        max(earlier, key=_moment) if earlier else None,
        min(later, key=_moment) if later else None,
    )


def _moment(look: Look) -> int:
    return look.reading.at_ns
