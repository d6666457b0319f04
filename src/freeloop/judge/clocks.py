"""CPU time, run-queue delay and the unexplained rest, shared out over the segments of a lane.

Marks of one thread read its clocks; between two readings the time is known, where in it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from freeloop.model.timeline import Segment, State
from freeloop.model.trace import Mark

# A shorter delay in the run queue stays a number of its segment: a sliver that nobody can see.
STARVED_NS = 500_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time between two clock readings of one thread.

    Attributes:
        start_ns: First reading.
        end_ns: Second reading.
        cpu_ns: CPU between them, at most its length.
        queue_ns: Run-queue delay between them; None where the kernel does not tell.
    """

    start_ns: int
    end_ns: int
    cpu_ns: int
    queue_ns: int | None


@dataclass(slots=True)
class _Share:
    covered_ns: int = 0
    cpu_ns: int = 0
    queue_ns: int | None = 0
    unexplained_ns: int = 0


def stretches(readings: Sequence[Mark]) -> list[Stretch]:
    """Return the time between neighbouring readings.

    Args:
        readings: Marks that one thread made without giving up its lane, sorted by time.

    Returns:
        One stretch per two marks that read the CPU clock. The clocks are read one after another,
        so a sum above the length is cut, never reported.
    """
    known = [mark for mark in readings if mark.cpu_ns is not None]
    found: list[Stretch] = []
    for first, second in pairwise(known):
        length_ns = second.at_ns - first.at_ns
        if length_ns <= 0 or first.cpu_ns is None or second.cpu_ns is None:
            continue
        cpu_ns = min(max(0, second.cpu_ns - first.cpu_ns), length_ns)
        queue_ns = None
        if first.queue_ns is not None and second.queue_ns is not None:
            queue_ns = min(max(0, second.queue_ns - first.queue_ns), length_ns - cpu_ns)
        found.append(Stretch(first.at_ns, second.at_ns, cpu_ns, queue_ns))
    return found


def share_out(segments: Sequence[Segment], known: Sequence[Stretch]) -> list[Segment]:
    """Return the segments with what the clocks say of them.

    CPU goes to what ran, and only what does not fit there to the waiting calls; likewise the
    run-queue delay. What is left of the running time is `unexplained_ns`: an upper bound of the
    wait for the interpreter lock. A segment that the readings do not cover keeps None.
    """
    shares = [_Share() for _ in segments]
    first = 0
    for stretch in known:
        while first < len(segments) and segments[first].end_ns <= stretch.start_ns:
            first += 1
        running: list[tuple[int, int]] = []
        waiting: list[tuple[int, int]] = []
        for index in range(first, len(segments)):
            segment = segments[index]
            if segment.start_ns >= stretch.end_ns:
                break
            overlap_ns = min(segment.end_ns, stretch.end_ns) - max(
                segment.start_ns, stretch.start_ns
            )
            if overlap_ns <= 0:
                continue
            kind = running if segment.state is State.RUNNING else waiting
            kind.append((index, overlap_ns))
        _share_stretch(stretch, running, waiting, shares)
    return [_with(segment, share) for segment, share in zip(segments, shares, strict=True)]


def split_starved(segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments, long run-queue delays as segments of their own.

    How long a thread stood in the run queue is measured, when is not: the delay is drawn at the
    end of its segment.
    """
    found: list[Segment] = []
    for segment in segments:
        queue_ns = segment.queue_ns or 0
        if segment.state is not State.RUNNING or queue_ns < STARVED_NS:
            found.append(segment)
            continue
        cut_ns = segment.end_ns - queue_ns
        if cut_ns > segment.start_ns:
            found.append(replace(segment, end_ns=cut_ns, queue_ns=0))
        found.append(
            replace(segment, start_ns=cut_ns, state=State.STARVED, cpu_ns=0, unexplained_ns=0)
        )
    return found


def _share_stretch(
    stretch: Stretch,
    running: list[tuple[int, int]],
    waiting: list[tuple[int, int]],
    shares: list[_Share],
) -> None:
    room_ns = sum(length for _index, length in running)
    cpu_run = min(stretch.cpu_ns, room_ns)
    queue = stretch.queue_ns or 0
    queue_run = min(queue, room_ns - cpu_run)
    cpu_parts = _proportional(cpu_run, running)
    queue_parts = _proportional(queue_run, running, taken=cpu_parts)
    for (index, length), cpu_ns, queue_ns in zip(running, cpu_parts, queue_parts, strict=True):
        shares[index].unexplained_ns += length - cpu_ns - queue_ns
    cpu_parts += _proportional(stretch.cpu_ns - cpu_run, waiting)
    queue_parts += _proportional(queue - queue_run, waiting, taken=cpu_parts[len(running) :])
    for (index, length), cpu_ns, queue_ns in zip(
        running + waiting, cpu_parts, queue_parts, strict=True
    ):
        share = shares[index]
        share.covered_ns += length
        share.cpu_ns += cpu_ns
        share.queue_ns = (
            None
            if share.queue_ns is None or stretch.queue_ns is None
            else share.queue_ns + queue_ns
        )


def _proportional(
    amount: int, parts: Sequence[tuple[int, int]], taken: Sequence[int] | None = None
) -> list[int]:
    """Return the amount shared out by room, to none more than its room."""
    taken = taken or [0] * len(parts)
    rooms = [length - used for (_index, length), used in zip(parts, taken, strict=True)]
    room = sum(rooms)
    amount = min(amount, room)
    shared: list[int] = []
    passed = given = 0
    for each in rooms:
        passed += each
        upto = amount * passed // room if room else 0
        shared.append(upto - given)
        given = upto
    return shared


def _with(segment: Segment, share: _Share) -> Segment:
    if not share.covered_ns:
        return segment
    whole = share.covered_ns == segment.end_ns - segment.start_ns
    return replace(
        segment,
        cpu_ns=share.cpu_ns if whole else None,
        queue_ns=share.queue_ns if whole else None,
        unexplained_ns=share.unexplained_ns,
    )
