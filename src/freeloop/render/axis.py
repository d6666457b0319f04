"""The time axis of a timeline: broken where nothing changes, so that short steps can be seen."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from freeloop.model.timeline import Timeline

# A stretch without any change that would fill more than this of the width is broken ...
WIDEST_STRETCH = 0.16
# ... if breaking makes it at most half as long: a break for less only costs the reader attention.
LEAST_GAIN = 2.0
# ... and if it is longer than any that is left whole: of two like stretches both are drawn alike.
LEAST_LONGER = 1.5
# ... and if it is at least this share of the request: what is short needs no shortening.
LEAST_BROKEN = 0.05
# No more breaks than it takes to bring each whole stretch below this share of the width.
WIDE_ENOUGH = 0.3
# All broken stretches together leave the steps at least a third of the width.
WIDEST_TOGETHER = 0.66
MOST_BREAKS = 12


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the axis with one scale.

    Attributes:
        start_ns: Since the request's start.
        end_ns: After `start_ns`.
        left: Share of the width, 0 to 1.
        right: Share of the width, 0 to 1.
        broken: Whether it is drawn shorter than its time.
    """

    start_ns: int
    end_ns: int
    left: float
    right: float
    broken: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """Where each time lies.

    Attributes:
        stretches: From 0 to the request's end, without a gap.
    """

    stretches: tuple[Stretch, ...]

    def place(self, at_ns: int) -> float:
        """Return the share of the width of a time, kept inside 0 to 1."""
        index = bisect_right(self.stretches, at_ns, key=lambda stretch: stretch.start_ns) - 1
        stretch = self.stretches[max(0, index)]
        share = (at_ns - stretch.start_ns) / (stretch.end_ns - stretch.start_ns)
        return stretch.left + min(1.0, max(0.0, share)) * (stretch.right - stretch.left)

    @property
    def breaks(self) -> tuple[Stretch, ...]:
        """The stretches that are drawn shorter than their time."""
        return tuple(stretch for stretch in self.stretches if stretch.broken)


def axis_of(timeline: Timeline) -> Axis:
    """Return the axis of a timeline: linear, but for breaks inside long stretches."""
    times = {0, max(1, timeline.duration_ns)}
    for lane in timeline.lanes:
        for segment in lane:
            times |= {
                time
                for time in (segment.start_ns, segment.end_ns)
                if 0 < time < timeline.duration_ns
            }
    ordered = sorted(times)
    parts = list(pairwise(ordered))
    shown_ns, broken = _breaks([end - start for start, end in parts])
    widths = [
        shown_ns if index in broken else end - start for index, (start, end) in enumerate(parts)
    ]
    return Axis(tuple(_joined(parts, widths, broken)))


def _breaks(lengths: list[int]) -> tuple[float, frozenset[int]]:
    """Return the length at which the longest stretches are drawn, and which ones they are."""
    longest = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    best: tuple[float, frozenset[int]] = (0.0, frozenset())
    for count in range(1, min(MOST_BREAKS, len(longest) - 1) + 1):
        rest = sum(lengths[index] for index in longest[count:])
        share = min(WIDEST_STRETCH, WIDEST_TOGETHER / count)
        # Each broken stretch gets the same share of the width that there is in the end.
        shown = share * rest / (1 - share * count)
        last, whole = lengths[longest[count - 1]], lengths[longest[count]]
        least = max(shown * LEAST_GAIN, whole * LEAST_LONGER, sum(lengths) * LEAST_BROKEN)
        if last < least:
            continue
        best = (shown, frozenset(longest[:count]))
        if whole / rest * (1 - share * count) <= WIDE_ENOUGH:
            break
    return best


def _joined(
    parts: list[tuple[int, int]], widths: list[float], broken: frozenset[int]
) -> Iterable[Stretch]:
    total = sum(widths)
    done = 0.0
    start_ns, left = 0, 0.0
    for index, ((begin, end), width) in enumerate(zip(parts, widths, strict=True)):
        if index in broken:
            if begin > start_ns:
                yield Stretch(start_ns, begin, left, done / total, broken=False)
            yield Stretch(begin, end, done / total, (done + width) / total, broken=True)
            start_ns, left = end, (done + width) / total
        done += width
    if start_ns < parts[-1][1]:
        yield Stretch(start_ns, parts[-1][1], left, 1.0, broken=False)
