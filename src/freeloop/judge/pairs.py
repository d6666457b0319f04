"""Pairs: the marks of a trace put together by kind and id, also where an end is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from freeloop.model.trace import Edge, Mark, MarkKind, Trace

# What may keep its caller waiting. A cache is among them: only the local-memory one never waits.
CALLS = frozenset(
    {
        MarkKind.QUERY,
        MarkKind.OUTBOUND,
        MarkKind.CACHE,
        MarkKind.SLEEP,
        MarkKind.LOCK,
        MarkKind.FILE,
    }
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One call, run, hop or holding from begin to end.

    Attributes:
        order: Position of its begin among the trace's marks: who came first at equal times.
        start_ns: Of its BEGIN.
        end_ns: Of its END, never before `start_ns`; a guess where `end` is None.
        begin: The mark.
        end: The mark; None when it was never made: cancelled, cut off by the cap, still going on.
    """

    order: int
    start_ns: int
    end_ns: int
    begin: Mark
    end: Mark | None

    @property
    def kind(self) -> MarkKind:
        """What it is."""
        return self.begin.kind

    @property
    def id(self) -> int:
        """Unique in its kind; a HOP and its WORK have the same."""
        return self.begin.id

    @property
    def lane(self) -> int:
        """Where it began."""
        return self.begin.lane

    @property
    def place(self) -> int | None:
        """The line it is put down to: where it began, else where it ended."""
        if self.begin.place is not None or self.end is None:
            return self.begin.place
        return self.end.place

    @property
    def text(self) -> str:
        """What it was: the end knows more, such as the status of a response."""
        return (self.end.text if self.end else "") or self.begin.text

    @property
    def detail(self) -> Mapping[str, object]:
        """What both ends tell."""
        return {**self.begin.detail, **(self.end.detail if self.end else {})}

    @property
    def length_ns(self) -> int:
        """From begin to end."""
        return self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs of a trace, in the order of their begins, and its points.

    Attributes:
        duration_ns: Of the request.
        by_lane: Pairs that began on a lane.
        by_kind: Pairs of a kind.
        points: Marks without a length.
    """

    duration_ns: int
    by_lane: Mapping[int, tuple[Pair, ...]]
    by_kind: Mapping[MarkKind, tuple[Pair, ...]]
    points: tuple[Mark, ...]

    def of(self, kind: MarkKind, lane: int | None = None) -> tuple[Pair, ...]:
        """Return the pairs of a kind, all or those of one lane."""
        if lane is None:
            return self.by_kind.get(kind, ())
        return tuple(pair for pair in self.on(lane) if pair.kind is kind)

    def on(self, lane: int) -> tuple[Pair, ...]:
        """Return the pairs of a lane."""
        return self.by_lane.get(lane, ())


def pair_marks(trace: Trace) -> Pairs:
    """Return the pairs of a trace.

    A BEGIN without an END lasts to the end of all marks; a RUN without one only to the last mark
    of its lane before the next RUN, because a lane cannot run twice at once. An END without a BEGIN
    is left out: the cap took its other half.
    """
    duration_ns = trace.duration_ns
    horizon_ns = max([duration_ns, *(mark.at_ns for mark in trace.marks)])
    ends = {(mark.kind, mark.id): mark for mark in trace.marks if mark.edge is Edge.END}
    pairs: list[Pair] = []
    seen: set[tuple[MarkKind, int]] = set()
    for order, mark in enumerate(trace.marks):
        key = (mark.kind, mark.id)
        if mark.edge is not Edge.BEGIN or key in seen:
            continue
        seen.add(key)
        end = ends.get(key)
        end_ns = max(mark.at_ns, end.at_ns) if end else horizon_ns
        if end is not None and end.detail.get("unfinished"):
            end = None  # where the recording stopped, not where the call did
        pairs.append(Pair(order, mark.at_ns, end_ns, mark, end))
    pairs = _close_runs(pairs, trace)
    by_lane: dict[int, list[Pair]] = {}
    by_kind: dict[MarkKind, list[Pair]] = {}
    for pair in pairs:
        by_lane.setdefault(pair.lane, []).append(pair)
        by_kind.setdefault(pair.kind, []).append(pair)
    return Pairs(
        duration_ns=duration_ns,
        by_lane={lane: tuple(found) for lane, found in by_lane.items()},
        by_kind={kind: tuple(found) for kind, found in by_kind.items()},
        points=tuple(mark for mark in trace.marks if mark.edge is Edge.POINT),
    )


def _close_runs(pairs: list[Pair], trace: Trace) -> list[Pair]:
    """Return the pairs, those RUNs that never ended or run into the next cut short."""
    next_start: dict[int, int] = {}
    closed: list[Pair] = []
    for pair in reversed(pairs):
        if pair.kind is not MarkKind.RUN:
            closed.append(pair)
            continue
        limit_ns = next_start.get(pair.lane)
        next_start[pair.lane] = pair.start_ns
        if pair.end is None and (limit_ns is not None or not _is_whole(pair, trace)):
            pair = replace(pair, end_ns=_last_mark_ns(trace, pair, limit_ns))
        elif limit_ns is not None and pair.end_ns > limit_ns:
            pair = replace(pair, end_ns=limit_ns)
        closed.append(pair)
    closed.reverse()
    return closed


def _is_whole(run: Pair, trace: Trace) -> bool:
    """Whether this RUN is the whole request: a sync one runs from start to end."""
    return run.lane == 0 and trace.request.interface == "wsgi"


def _last_mark_ns(trace: Trace, run: Pair, limit_ns: int | None) -> int:
    return max(
        (
            mark.at_ns
            for mark in trace.marks[run.order :]
            if mark.lane == run.lane and (limit_ns is None or mark.at_ns <= limit_ns)
        ),
        default=run.start_ns,
    )
