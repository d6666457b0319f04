"""Trace: the sealed recording of one real request; marks as they came, nothing concluded yet.

Times are integer nanoseconds since the request's start, so a trace can be kept, sent and drawn
again on another machine. Marks come in pairs, found by id: BEGIN and END of the same kind and id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Origin(StrEnum):
    """Whose code a place is."""

    PROJECT = "project"
    DJANGO = "django"
    LIBRARY = "library"
    STDLIB = "stdlib"


@dataclass(frozen=True, slots=True)
class Place:
    """One line of code.

    Attributes:
        path: Relative to the project's root, to its site-packages, or to the standard library.
        line: From 1.
        function: Qualified name.
        origin: Whose code it is.
    """

    path: str
    line: int
    function: str
    origin: Origin


class LaneKind(StrEnum):
    """What a row of the timeline stands for.

    TASK: the request's coroutine or a task that it started. THREAD: a thread that worked for it.
    CONNECTION: a database connection, from opened (or fetched from the pool) to given back.
    """

    TASK = "task"
    THREAD = "thread"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the timeline.

    Attributes:
        id: Its place in `Trace.lanes`; lane 0 is the request itself.
        kind: What it stands for.
        name: For people: "request", "task fetch_price", "thread 2", "connection default".
        parent: Lane that started it; None for the request.
    """

    id: int
    kind: LaneKind
    name: str
    parent: int | None = None


class MarkKind(StrEnum):
    """What a mark tells of.

    REQUEST: handler called to handler returned. RUN: a task has the event loop, from resume to
    suspension; for a sync request, its thread from start to end. TASK: created to finished.
    HOP: a call handed to a thread, from the awaiting side, submitted to resumed. WORK: the same
    call (same id) on the thread's own lane. BACK: a call from a thread back to the loop, from the
    waiting thread's side. MIDDLEWARE, RECEIVER, VIEW, TEMPLATE, QUERY, OUTBOUND, CACHE, SLEEP, LOCK
    and FILE: that call, on the lane that made it. CONNECTION: held, on its own lane. FIRST_BYTE,
    THREAD_STARTED, RAISED: points.
    """

    REQUEST = "request"
    RUN = "run"
    TASK = "task"
    HOP = "hop"
    WORK = "work"
    BACK = "back"
    MIDDLEWARE = "middleware"
    RECEIVER = "receiver"
    VIEW = "view"
    TEMPLATE = "template"
    QUERY = "query"
    OUTBOUND = "outbound"
    CACHE = "cache"
    SLEEP = "sleep"
    LOCK = "lock"
    FILE = "file"
    CONNECTION = "connection"
    FIRST_BYTE = "first-byte"
    THREAD_STARTED = "thread-started"
    RAISED = "raised"


class Edge(StrEnum):
    """Which end of a pair a mark is."""

    BEGIN = "begin"
    END = "end"
    POINT = "point"


@dataclass(frozen=True, slots=True)
class Mark:
    """One raw event.

    Attributes:
        at_ns: Since the request's start.
        kind: What it tells of.
        edge: Begin, end, or a point.
        lane: Id of the lane it happened on.
        id: Pairs BEGIN with END; unique in its kind.
        parent: Id of the RUN, WORK or other pair around it on the same lane; None if unknown.
        place: Index in `Trace.places`: the deepest line of the project, else of a library; for the
            END of a RUN the await point. None if unknown.
        cpu_ns: CPU clock of the marking thread; None where it was not read. A difference between
            two marks of one thread counts, the value alone means nothing.
        queue_ns: Run-queue delay of the same thread, likewise; None where the kernel does not tell.
        text: What it was, masked and bounded: "SELECT ... FROM menu WHERE id = ?", "GET
            127.0.0.1:8001 200", "asyncio.sleep".
        detail: Plain values for those who know the kind, such as {"thread": 3, "how": "await"}.
    """

    at_ns: int
    kind: MarkKind
    edge: Edge
    lane: int
    id: int
    parent: int | None = None
    place: int | None = None
    cpu_ns: int | None = None
    queue_ns: int | None = None
    text: str = ""
    detail: Mapping[str, int | float | str | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Variable:
    """One local variable as a step left it.

    Attributes:
        name: In the function.
        shown: Its value by type, bounded, masked; never made by the `repr` of a project's class.
        change: "new", "changed" or "gone".
    """

    name: str
    shown: str
    change: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the project that was about to run, and what the line before it had changed.

    Attributes:
        at_ns: Since the request's start.
        lane: Task or thread that runs it.
        place: Index in `Trace.places`.
        frame: Tells calls of the same function apart.
        event: "call", "line", "suspend", "resume", "return" or "raise".
        variables: Of this frame, that appeared, changed or went since its step before.
    """

    at_ns: int
    lane: int
    place: int
    frame: int
    event: str
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """The stack of a thread that had held the event loop for a while.

    Attributes:
        at_ns: Since the request's start.
        lane: Task that had the loop.
        frames: Indexes in `Trace.places`, innermost first.
    """

    at_ns: int
    lane: int
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The request and its answer; no body of either is kept.

    Attributes:
        method: HTTP method.
        path: With query names, their values masked.
        route: Pattern of the URLconf; "" where none matched.
        view: Dotted name of the view; "" where none was called.
        async_view: Whether it is a coroutine function; None where none was called.
        interface: "asgi" or "wsgi".
        relieved: Whether `freeloop.relief` was installed.
        status: Of the answer; None when none was sent.
        sent_bytes: Length of the body.
        streamed: Whether it was a streaming response.
        error: Exception that left the handler, "ValueError: ...", or "".
    """

    method: str
    path: str
    route: str
    view: str
    async_view: bool | None
    interface: str
    relieved: bool
    status: int | None
    sent_bytes: int
    streamed: bool
    error: str = ""


@dataclass(frozen=True, slots=True)
class TraceEnvironment:
    """Where it was recorded.

    Attributes:
        recorded_at: UTC, ISO 8601.
        versions: Of python, django, asgiref, and of each library that a probe observed.
        cores: Of the machine.
        middleware: The MIDDLEWARE setting.
        database: One line per alias, as bench names it.
        mark_cost_ns: Measured in the same process: what one mark costs.
        probes_off: Probe that did not fit and why, by name: what it observes is missing here.
        dropped: Marks and steps that did not fit under the cap.
    """

    recorded_at: str
    versions: Mapping[str, str]
    cores: int
    middleware: tuple[str, ...]
    database: tuple[str, ...]
    mark_cost_ns: int
    probes_off: Mapping[str, str] = field(default_factory=dict)
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """The sealed recording of one request.

    Attributes:
        environment: Where it was recorded.
        request: What was asked and answered.
        lanes: By id; lane 0 is the request.
        places: Referred to by index.
        marks: Sorted by time.
        steps: Sorted by time; empty when line steps were not asked for.
        samples: Sorted by time.
        sources: Text of each project file that a step or a mark lies in, by path.
    """

    environment: TraceEnvironment
    request: Recorded
    lanes: tuple[Lane, ...]
    places: tuple[Place, ...]
    marks: tuple[Mark, ...]
    steps: tuple[Step, ...] = ()
    samples: tuple[Sample, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def duration_ns(self) -> int:
        """From the handler's call to its return; to the last mark where no return was seen."""
        ends = [
            mark.at_ns
            for mark in self.marks
            if mark.kind is MarkKind.REQUEST and mark.edge is Edge.END
        ]
        return max(0, *ends) if ends else max([0, *(mark.at_ns for mark in self.marks)])
