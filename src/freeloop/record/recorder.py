"""The recorder: who runs on which lane now, and the marks that they make."""

from __future__ import annotations

import itertools
import threading
from contextvars import ContextVar
from threading import get_ident
from types import FrameType
from typing import Any

from freeloop.model.trace import Edge, LaneKind, MarkKind
from freeloop.record.buffer import Buffer
from freeloop.record.clock import COST_BATCHES, COST_ROUNDS, RunQueue, cpu_ns, wall_ns
from freeloop.record.places import Places, Spot

MOST_MARKS = 100_000
MOST_STEPS = 50_000
MOST_SAMPLES = 5_000
LONGEST_TEXT = 400
MOST_FAULTS = 20

type Detail = dict[str, int | float | str | bool | None]


class LaneState:
    """A lane while it is recorded.

    Attributes:
        id: As in the trace.
        kind: As in the trace.
        name: As in the trace.
        parent: As in the trace.
        open: Ids of the pairs around what runs on it now, innermost last.
        kinds: The kinds of those pairs.
        run: Id of the RUN or WORK that has its thread; None while suspended.
        spot: Project line that it is put down to when its own stack holds none.
        hops: Hops that it waits for.
    """

    __slots__ = ("hops", "id", "kind", "kinds", "name", "open", "parent", "run", "spot")

    def __init__(self, number: int, kind: LaneKind, name: str, parent: int | None) -> None:
        self.id = number
        self.kind = kind
        self.name = name
        self.parent = parent
        self.open: list[int] = []
        self.kinds: list[MarkKind] = []
        self.run: int | None = None
        self.spot: Spot | None = None
        self.hops: list[tuple[Any, Span]] = []


class Span:
    """A pair whose end is still to come."""

    __slots__ = ("id", "kind", "lane", "text")

    def __init__(self, kind: MarkKind, number: int, lane: LaneState, text: str) -> None:
        self.kind = kind
        self.id = number
        self.lane = lane
        self.text = text


# Who made what runs in this context: for tasks that a callback of the loop creates.
OWNER: ContextVar[LaneState | None] = ContextVar("freeloop_recorded_lane", default=None)


class Recorder:
    """Marks of one request.

    Nothing here raises into the application: what goes wrong in the recorder is counted in
    `faults`, with the first of them kept.

    Attributes:
        here: Lane by thread: whom each thread works for at this moment.
        stopped_ns: When recording ended, whether or not the request had.
        route: Pattern of the URLconf that matched.
        view: Dotted name of the view.
        async_view: Whether it is a coroutine function.
    """

    def __init__(self, root: str, *, most_marks: int = MOST_MARKS, most_steps: int = MOST_STEPS):
        self.places = Places(root)
        self.queue = RunQueue()
        self.marks = Buffer(most_marks)
        self.steps = Buffer(most_steps)
        self.samples = Buffer(MOST_SAMPLES)
        self.lanes: list[LaneState] = []
        self.here: dict[int, LaneState] = {}
        self.active = False
        self.faults: list[str] = []
        self.stopped_ns = 0
        self.route = ""
        self.view = ""
        self.async_view: bool | None = None
        self._ids = itertools.count(1)
        self._threads: dict[int, tuple[threading.Thread, LaneState]] = {}

    def new_lane(self, kind: LaneKind, name: str, parent: LaneState | None) -> LaneState:
        """Add a lane."""
        lane = LaneState(len(self.lanes), kind, name, None if parent is None else parent.id)
        self.lanes.append(lane)
        return lane

    def lane(self) -> LaneState | None:
        """Return the lane that this thread works for now; None when for none of the request."""
        return self.here.get(get_ident()) if self.active else None

    def thread_lane(self, parent: LaneState | None) -> LaneState:
        """Return the lane of this thread."""
        thread = threading.current_thread()
        known = self._threads.get(id(thread))
        if known is not None:
            return known[1]
        number = sum(lane.kind is LaneKind.THREAD for lane in self.lanes) + 1
        lane = self.new_lane(LaneKind.THREAD, f"thread {number}", parent)
        self._threads[id(thread)] = (thread, lane)
        return lane

    def new_id(self) -> int:
        """Return an id that no pair has."""
        return next(self._ids)

    def adopt_thread(self, lane: LaneState) -> None:
        """Let this thread's work appear on a lane that exists."""
        thread = threading.current_thread()
        self._threads[id(thread)] = (thread, lane)

    def begin(
        self,
        kind: MarkKind,
        lane: LaneState,
        text: str = "",
        *,
        detail: Detail | None = None,
        frame: FrameType | None = None,
        spot: Spot | None = None,
        clocks: bool = False,
        around: bool = True,
    ) -> Span | None:
        """Mark the begin of a pair; None when the buffer is full.

        Args:
            kind: What it tells of.
            lane: Where it happens.
            text: What it is.
            detail: Plain values for those who know the kind.
            frame: Innermost frame to look for the project's line from.
            spot: The line itself, when it is known.
            clocks: Read the clocks of this thread too.
            around: Whether pairs that begin before its end lie inside of it.
        """
        # The place of its end is kept with it: what has begun can always end.
        if not (self.marks.reserve() and self.marks.reserve()):
            return None
        span = Span(kind, next(self._ids), lane, text)
        if frame is not None:
            spot, in_project = self.places.deepest(frame)
            if not in_project:
                spot = lane.spot or spot
        parent = lane.open[-1] if lane.open else lane.run
        self._put(kind, Edge.BEGIN, span, parent, spot, text, detail, clocks)
        if around:
            lane.open.append(span.id)
            lane.kinds.append(kind)
        return span

    def begin_as(
        self, kind: MarkKind, lane: LaneState, number: int, text: str, detail: Detail | None = None
    ) -> Span | None:
        """Mark the begin of a pair that shares its id with another kind's, such as WORK and HOP."""
        if not (self.marks.reserve() and self.marks.reserve()):
            return None
        span = Span(kind, number, lane, text)
        parent = lane.open[-1] if lane.open else lane.run
        self._put(kind, Edge.BEGIN, span, parent, lane.spot, text, detail, clocks=True)
        lane.open.append(number)
        lane.kinds.append(kind)
        return span

    def end(
        self,
        span: Span | None,
        text: str | None = None,
        *,
        detail: Detail | None = None,
        spot: Spot | None = None,
        clocks: bool = False,
        at: int | None = None,
    ) -> None:
        """Mark the end of a pair."""
        if span is None:
            return
        lane = span.lane
        if span.id in lane.open:
            index = lane.open.index(span.id)
            del lane.open[index], lane.kinds[index]
        self._put(
            span.kind,
            Edge.END,
            span,
            None,
            spot,
            span.text if text is None else text,
            detail,
            clocks,
            at,
        )

    def point(
        self,
        kind: MarkKind,
        lane: LaneState,
        text: str = "",
        *,
        detail: Detail | None = None,
        frame: FrameType | None = None,
        spot: Spot | None = None,
    ) -> None:
        """Mark something that takes no time."""
        if not self.marks.reserve():
            return
        if frame is not None:
            spot, in_project = self.places.deepest(frame)
            if not in_project:
                spot = lane.spot or spot
        parent = lane.open[-1] if lane.open else lane.run
        span = Span(kind, next(self._ids), lane, text)
        self._put(kind, Edge.POINT, span, parent, spot, text, detail, clocks=False)

    def fault(self, where: str, error: BaseException) -> None:
        """Count a fault of the recorder itself; the request goes on."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(f"{where}: {type(error).__name__}")

    def mark_cost_ns(self) -> int:
        """Measure what one mark with all clocks costs in this process, without keeping any."""
        trial = Recorder(self.places.root)
        lane = trial.new_lane(LaneKind.TASK, "trial", None)
        quickest = None
        for _ in range(COST_BATCHES):
            started = wall_ns()
            for _ in range(COST_ROUNDS):
                trial.end(trial.begin(MarkKind.RUN, lane, clocks=True), clocks=True)
            took = wall_ns() - started
            # Other work of the machine can only add to it.
            quickest = took if quickest is None else min(quickest, took)
        trial.queue.close()
        return (quickest or 0) // (2 * COST_ROUNDS)

    def _put(
        self,
        kind: MarkKind,
        edge: Edge,
        span: Span,
        parent: int | None,
        spot: Spot | None,
        text: str,
        detail: Detail | None,
        clocks: bool,  # noqa: FBT001 - inside this class only
        at: int | None = None,
    ) -> None:
        cpu = cpu_ns() if clocks else None
        queue = self.queue.delay_ns() if clocks else None
        now = wall_ns() if at is None else at
        text = text[:LONGEST_TEXT]
        self.marks.put(
            (now, kind, edge, span.lane.id, span.id, parent, spot, cpu, queue, text, detail)
        )
