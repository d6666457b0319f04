"""Which line a stretch is put down to: the line steps where there are, else the stack samples.

The mark at the end of a run names the await point where it ended, never the line that took long.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from freeloop.model.trace import Origin, Sample, Step, Trace

# Between these the lane is in the line that the step named.
_IN_LINE = frozenset({"call", "line", "resume"})


class Guilty:
    """Lines of a trace, by lane and time."""

    def __init__(self, trace: Trace) -> None:
        self._places = trace.places
        self._steps: dict[int, list[Step]] = {}
        self._samples: dict[int, list[Sample]] = {}
        for step in trace.steps:
            self._steps.setdefault(step.lane, []).append(step)
        for sample in trace.samples:
            self._samples.setdefault(sample.lane, []).append(sample)

    def lines(self, lane: int, start_ns: int, end_ns: int) -> list[tuple[int, int]]:
        """Return the lines that a stretch was spent in, and for how long, longest first.

        Steps give the time of each line of the project. Time outside of it, or all where there
        are no steps, is shared out over the samples taken in it.
        """
        spent = self._from_steps(lane, start_ns, end_ns)
        unknown_ns = end_ns - start_ns - sum(spent.values())
        samples = self._between(lane, start_ns, end_ns)
        outside = [place for place in map(self.deepest, samples) if place not in spent]
        for place in outside:
            if place is not None:
                spent[place] = spent.get(place, 0) + unknown_ns // len(outside)
        return sorted(spent.items(), key=lambda item: (-item[1], item[0]))

    def deepest(self, sample: Sample) -> int | None:
        """Return the innermost line of the project, else of a library, else of all."""
        for origin in (Origin.PROJECT, Origin.LIBRARY, None):
            for frame in sample.frames:
                if origin is None or self._places[frame].origin is origin:
                    return frame
        return None

    def _from_steps(self, lane: int, start_ns: int, end_ns: int) -> dict[int, int]:
        steps = self._steps.get(lane, [])
        first = max(0, bisect_right(steps, start_ns, key=_at_ns) - 1)
        spent: dict[int, int] = {}
        here: Sequence[Step | None] = [
            *steps[first : bisect_left(steps, end_ns, key=_at_ns)],
            None,
        ]
        for step, following in pairwise(here):
            if step is None or step.event not in _IN_LINE:
                continue
            until_ns = following.at_ns if following else end_ns
            length_ns = until_ns - max(step.at_ns, start_ns)
            if length_ns > 0:
                spent[step.place] = spent.get(step.place, 0) + length_ns
        return spent

    def _between(self, lane: int, start_ns: int, end_ns: int) -> list[Sample]:
        samples = self._samples.get(lane, [])
        return samples[
            bisect_left(samples, start_ns, key=_at_ns) : bisect_left(samples, end_ns, key=_at_ns)
        ]


def _at_ns(moment: Step | Sample) -> int:
    return moment.at_ns
