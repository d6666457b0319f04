"""Random requests played on one event loop and one thread, with the truth of what each lane did.

Independent of the judge: it knows what happens because it lets it happen.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from freeloop.model.timeline import State
from freeloop.model.trace import (
    Edge,
    Lane,
    LaneKind,
    Mark,
    MarkKind,
    Origin,
    Place,
    Recorded,
    Trace,
    TraceEnvironment,
)


@dataclass(frozen=True)
class Work:
    """Runs: so long on the CPU, in the run queue, and for the interpreter lock."""

    cpu_ns: int
    queue_ns: int
    lock_ns: int


@dataclass(frozen=True)
class Block:
    """Holds the loop in a call that waits."""

    ns: int
    kind: MarkKind


@dataclass(frozen=True)
class Wait:
    """Awaits; a cancelled one never marks its end."""

    ns: int
    cancelled: bool


@dataclass(frozen=True)
class Hop:
    """Hands a call to the thread; in it the thread waits for a call back for `back_ns`."""

    queue_ns: int
    cpu_ns: int
    back_ns: int


@dataclass(frozen=True)
class Together:
    """Starts tasks and awaits them all."""

    programs: tuple[tuple[Part, ...], ...]


@dataclass(frozen=True)
class Fail:
    """Raises out of its task."""


type Part = Work | Block | Wait | Hop | Together | Fail


def parts(depth: int = 2) -> st.SearchStrategy[tuple[Part, ...]]:
    """Return programs; zero lengths are among them."""
    ns = st.one_of(st.just(0), st.integers(0, 2_000), st.integers(0, 5_000_000))
    kinds: list[st.SearchStrategy[Part]] = [
        st.builds(Work, ns, ns, ns),
        st.builds(Block, ns, st.sampled_from([MarkKind.SLEEP, MarkKind.LOCK, MarkKind.OUTBOUND])),
        st.builds(Wait, ns, st.booleans()),
        st.builds(Hop, ns, ns, ns),
        st.builds(Fail),
    ]
    if depth:
        inner = st.lists(parts(depth - 1), min_size=1, max_size=3).map(tuple)
        kinds.append(st.builds(Together, inner))
    return st.lists(st.one_of(kinds), max_size=6).map(tuple)


def recorded(interface: str = "asgi") -> Recorded:
    """Return a request that nothing depends on."""
    return Recorded(
        method="GET",
        path="/random/",
        route="random/",
        view="shop.views.random",
        async_view=interface == "asgi",
        interface=interface,
        relieved=False,
        status=200,
        sent_bytes=2,
        streamed=False,
    )


def environment() -> TraceEnvironment:
    """Return an environment that nothing depends on."""
    return TraceEnvironment("2026-11-20T12:00:00Z", {"python": "3.13.0"}, 2, (), (), 1_000)


@dataclass
class Played:
    """One program played.

    Attributes:
        trace: Its marks.
        truth: By lane: how long in which state; SUSPENDED holds READY after a plain await.
        cpu_ns: Of all threads.
        lock_ns: Time that nothing explains, while running.
        loop_ns: A task had the loop.
    """

    trace: Trace
    truth: Mapping[int, Counter[State]]
    cpu_ns: int
    lock_ns: int
    loop_ns: int


@dataclass
class _Loop:
    now: int = 0
    cpu: int = 0
    queue: int = 0
    lock: int = 0
    held: int = 0
    thread_free: int = 0
    thread_cpu: int = 0
    thread: int | None = None
    marks: list[tuple[int, int, Mark]] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    truth: dict[int, Counter[State]] = field(default_factory=dict)
    wakes: list[tuple[int, int, int]] = field(default_factory=list)
    plays: dict[int, Iterator[int | None]] = field(default_factory=dict)
    suspended: dict[int, tuple[int, State]] = field(default_factory=dict)
    parents: dict[int, tuple[int, set[int]]] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    order: Iterator[int] = field(default_factory=itertools.count)

    def mark(
        self, kind: MarkKind, edge: Edge, lane: int, number: int, at: int, **more: Any
    ) -> None:
        mark = Mark(at, kind, edge, lane, number, **more)
        self.marks.append((at, next(self.order), mark))

    def clocked(self, kind: MarkKind, edge: Edge, lane: int, number: int) -> None:
        self.mark(kind, edge, lane, number, self.now, cpu_ns=self.cpu, queue_ns=self.queue)

    def new_lane(self, kind: LaneKind, parent: int | None) -> int:
        lane = len(self.lanes)
        self.lanes.append(Lane(lane, kind, f"{kind.value} {lane}", parent))
        self.truth[lane] = Counter()
        return lane

    def wake(self, lane: int, at: int) -> None:
        heapq.heappush(self.wakes, (at, next(self.order), lane))

    def start(self, program: tuple[Part, ...], parent: int | None) -> int:
        lane = self.new_lane(LaneKind.TASK, parent)
        if parent is not None:
            self.mark(MarkKind.TASK, Edge.BEGIN, lane, lane, self.now)
        self.suspended[lane] = (self.now, State.READY)
        self.plays[lane] = self.play(lane, program)
        self.wake(lane, self.now)
        return lane

    def run(self) -> None:
        while self.wakes:
            at, _order, lane = heapq.heappop(self.wakes)
            self.now = max(self.now, at)
            since, state = self.suspended.pop(lane)
            self.truth[lane][state] += self.now - since
            number, begun = next(self.ids), self.now
            self.clocked(MarkKind.RUN, Edge.BEGIN, lane, number)
            done = False
            try:
                wake = next(self.plays[lane])
            except StopIteration:
                done, wake = True, None
            self.clocked(MarkKind.RUN, Edge.END, lane, number)
            self.held += self.now - begun
            if done:
                self.finish(lane)
                continue
            self.suspended.setdefault(lane, (self.now, State.SUSPENDED))
            if wake is not None:
                self.wake(lane, wake)

    def finish(self, lane: int) -> None:
        if lane == 0:
            return
        self.mark(MarkKind.TASK, Edge.END, lane, lane, self.now)
        parent, left = self.parents[lane]
        left.discard(lane)
        if not left:
            self.wake(parent, self.now)

    def play(self, lane: int, program: tuple[Part, ...]) -> Iterator[int | None]:
        for part in program:
            match part:
                case Work(cpu_ns, queue_ns, lock_ns):
                    self.now += cpu_ns + queue_ns + lock_ns
                    self.cpu += cpu_ns
                    self.queue += queue_ns
                    self.lock += lock_ns
                    self.truth[lane][State.RUNNING] += cpu_ns + queue_ns + lock_ns
                case Block(ns, kind):
                    number = next(self.ids)
                    self.clocked(kind, Edge.BEGIN, lane, number)
                    self.now += ns
                    self.clocked(kind, Edge.END, lane, number)
                    self.truth[lane][State.BLOCKED] += ns
                case Wait(ns, cancelled):
                    number = next(self.ids)
                    self.clocked(MarkKind.SLEEP, Edge.BEGIN, lane, number)
                    yield self.now + ns
                    if not cancelled:
                        self.clocked(MarkKind.SLEEP, Edge.END, lane, number)
                case Hop():
                    number, end = self.hop(lane, part)
                    yield end
                    self.clocked(MarkKind.HOP, Edge.END, lane, number)
                case Together(programs):
                    children: set[int] = set()
                    for each in programs:
                        child = self.start(each, lane)
                        children.add(child)
                        self.parents[child] = (lane, children)
                    yield None
                case Fail():
                    return

    def hop(self, lane: int, hop: Hop) -> tuple[int, int]:
        if self.thread is None:
            self.thread = self.new_lane(LaneKind.THREAD, lane)
        thread, number = self.thread, next(self.ids)
        self.mark(
            MarkKind.HOP,
            Edge.BEGIN,
            lane,
            number,
            self.now,
            cpu_ns=self.cpu,
            queue_ns=self.queue,
            detail={"how": "thread", "executor": "ThreadPoolExecutor"},
        )
        start = max(self.thread_free, self.now + hop.queue_ns)
        back = start + hop.cpu_ns
        end = back + hop.back_ns
        clock, after = self.thread_cpu, self.thread_cpu + hop.cpu_ns
        self.mark(MarkKind.WORK, Edge.BEGIN, thread, number, start, cpu_ns=clock, queue_ns=0)
        self.mark(MarkKind.BACK, Edge.BEGIN, thread, number, back, cpu_ns=after, queue_ns=0)
        self.mark(MarkKind.BACK, Edge.END, thread, number, end, cpu_ns=after, queue_ns=0)
        self.mark(MarkKind.WORK, Edge.END, thread, number, end, cpu_ns=after, queue_ns=0)
        self.thread_free, self.thread_cpu = end, after
        self.truth[lane][State.QUEUED] += start - self.now
        self.truth[lane][State.OFFLOADED] += end - start
        self.truth[thread][State.RUNNING] += hop.cpu_ns
        self.suspended[lane] = (end, State.READY)
        return number, end


def play(program: tuple[Part, ...]) -> Played:
    """Return what the program leaves, and what it did."""
    loop = _Loop()
    loop.start(program, None)
    loop.mark(MarkKind.REQUEST, Edge.BEGIN, 0, 0, 0)
    loop.run()
    loop.mark(MarkKind.REQUEST, Edge.END, 0, 0, loop.now)
    marks = tuple(mark for _at, _order, mark in sorted(loop.marks, key=lambda each: each[:2]))
    trace = Trace(
        environment=environment(),
        request=recorded(),
        lanes=tuple(loop.lanes),
        places=(Place("shop/views.py", 1, "random", Origin.PROJECT),),
        marks=marks,
    )
    return Played(trace, loop.truth, loop.cpu + loop.thread_cpu, loop.lock, loop.held)


def torn_traces() -> st.SearchStrategy[Trace]:
    """Return traces of marks that fit together by chance only."""
    lanes = (
        Lane(0, LaneKind.TASK, "request"),
        Lane(1, LaneKind.TASK, "task one", 0),
        Lane(2, LaneKind.THREAD, "thread 1", 0),
        Lane(3, LaneKind.CONNECTION, "connection default", 2),
    )
    clock = st.one_of(st.none(), st.integers(0, 50))
    mark = st.builds(
        Mark,
        at_ns=st.integers(-3, 40),
        kind=st.sampled_from([kind for kind in MarkKind if kind is not MarkKind.REQUEST]),
        edge=st.sampled_from(Edge),
        lane=st.integers(0, len(lanes) - 1),
        id=st.integers(0, 6),
        cpu_ns=clock,
        queue_ns=clock,
        detail=st.sampled_from(
            [{}, {"how": "await"}, {"how": "thread", "executor": "ThreadPoolExecutor"}]
        ),
    )
    edges = st.sampled_from([(Edge.BEGIN, Edge.END), (Edge.BEGIN,), ()])

    def trace(marks: list[Mark], ends: tuple[Edge, ...], interface: str) -> Trace:
        request = [
            Mark(0 if edge is Edge.BEGIN else 30, MarkKind.REQUEST, edge, 0, 1) for edge in ends
        ]
        return Trace(
            environment=environment(),
            request=recorded(interface),
            lanes=lanes,
            places=(),
            marks=tuple(sorted([*request, *marks], key=lambda each: each.at_ns)),
        )

    return st.builds(trace, st.lists(mark, max_size=40), edges, st.sampled_from(["asgi", "wsgi"]))
