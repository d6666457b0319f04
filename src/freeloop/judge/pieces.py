"""A lane cut at every begin and end; each piece judged by what was going on in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from freeloop.judge.pairs import Pair
from freeloop.model.timeline import Segment

# From start, to end, and the pairs around the piece, outermost first; None leaves a gap.
type Judge = Callable[[int, int, Sequence[Pair]], Segment | None]


def pieces(pairs: Iterable[Pair], cuts: Iterable[int], judge: Judge) -> list[Segment]:
    """Return the judged pieces, sorted, neighbours of one kind joined.

    Args:
        pairs: Their begins and ends cut the lane.
        cuts: So do these times.
        judge: Called once for each piece between neighbouring cuts; no cut lies within.
    """
    waiting = sorted(pairs, key=_outermost_first)
    bounds = sorted({*cuts, *(at for pair in waiting for at in (pair.start_ns, pair.end_ns))})
    active: list[Pair] = []
    found: list[Segment] = []
    begun = 0
    for start_ns, end_ns in pairwise(bounds):
        while begun < len(waiting) and waiting[begun].start_ns <= start_ns:
            active.append(waiting[begun])
            begun += 1
        active = [pair for pair in active if pair.end_ns > start_ns]
        segment = judge(start_ns, end_ns, active)
        if segment is None:
            continue
        if found and _continues(found[-1], segment):
            found[-1] = replace(found[-1], end_ns=segment.end_ns)
        else:
            found.append(segment)
    return found


def _outermost_first(pair: Pair) -> tuple[int, int]:
    return pair.start_ns, pair.order


def _continues(first: Segment, second: Segment) -> bool:
    return (
        first.end_ns == second.start_ns
        and replace(first, start_ns=second.start_ns, end_ns=second.end_ns) == second
    )
