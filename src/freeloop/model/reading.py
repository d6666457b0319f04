"""Reading: what was concluded of one trace; with the trace, all that a person is shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from freeloop.model.demand import Demand
from freeloop.model.timeline import State, Timeline
from freeloop.model.trace import Trace
from freeloop.model.verdict import Basis


class Happening(StrEnum):
    """What one row of the execution table tells.

    REQUEST: begins. ENTERED: the view's first line. TASK: a task was started. RAN: had the loop
    (for a sync request: its thread). BLOCKED: held the loop or thread in a waiting call. SUSPENDED:
    gave the loop back at an await point, until resumed. HOP: a call went to a thread and came back.
    BACK: a thread waited for a call on the loop. QUERY, OUTBOUND, CACHE, SLEEP, LOCK, FILE,
    TEMPLATE, MIDDLEWARE, RECEIVER: that call. THREAD: a thread was started. FIRST_BYTE, RAISED and
    RETURNED: points.
    """

    REQUEST = "request"
    ENTERED = "entered"
    TASK = "task"
    RAN = "ran"
    BLOCKED = "blocked"
    SUSPENDED = "suspended"
    HOP = "hop"
    BACK = "back"
    QUERY = "query"
    OUTBOUND = "outbound"
    CACHE = "cache"
    SLEEP = "sleep"
    LOCK = "lock"
    FILE = "file"
    TEMPLATE = "template"
    MIDDLEWARE = "middleware"
    RECEIVER = "receiver"
    THREAD = "thread"
    FIRST_BYTE = "first-byte"
    RAISED = "raised"
    RETURNED = "returned"


class Effect(StrEnum):
    """What it means for the other requests of the same process.

    NONE: nothing to speak of. STALLS: every request of this event loop waits. FREES: the loop
    serves others meanwhile. HOLDS: the loop is free, a thread is held. CONNECTION: the loop is
    free, a database connection is held.
    """

    NONE = "none"
    STALLS = "stalls"
    FREES = "frees"
    HOLDS = "holds"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the execution table.

    Attributes:
        number: From 1.
        start_ns: Since the request's start.
        end_ns: Equal to `start_ns` for a point.
        lane: Id of the lane.
        what: What happened.
        place: Index in `Trace.places`; None if unknown.
        text: What exactly, as the mark says it: "SELECT ...", "asyncio.sleep".
        state: Of the lane from `start_ns` to `end_ns`; None for a point.
        blocking: Whether the event loop was held in a waiting call.
        effect: On other requests.
        other: Lane that did the work: the thread of a hop, the task that was started; or None.
        queued_ns: Of a hop: until the thread took it.
    """

    number: int
    start_ns: int
    end_ns: int
    lane: int
    what: Happening
    place: int | None = None
    text: str = ""
    state: State | None = None
    blocking: bool = False
    effect: Effect = Effect.NONE
    other: int | None = None
    queued_ns: int = 0


class MomentKind(StrEnum):
    """Why a moment is worth a look."""

    FIRST_WAIT = "first-wait"
    LONGEST_WAIT = "longest-wait"
    LONGEST_BLOCK = "longest-block"
    FIRST_HOP = "first-hop"
    LONGEST_QUEUE = "longest-queue"
    MOST_AT_ONCE = "most-at-once"
    FIRST_QUERY = "first-query"
    SLOWEST_QUERY = "slowest-query"
    FIRST_BYTE = "first-byte"
    RAISED = "raised"


@dataclass(frozen=True, slots=True)
class Moment:
    """One key moment.

    Attributes:
        kind: Why it is one.
        at_ns: Since the request's start.
        row: Number of its row in the execution table.
        ms: How long it lasted; None for a point.
        count: How many, for MOST_AT_ONCE.
    """

    kind: MomentKind
    at_ns: int
    row: int
    ms: float | None = None
    count: int | None = None


class Weakness(StrEnum):
    """What one trace can find.

    BLOCKS_LOOP: a call held the event loop. SERIAL_AWAITS: awaits one after another that may be
    independent. SERIAL_ON_THREAD: calls gathered, and still one after another on one thread.
    CONNECTION_UNUSED, THREAD_UNUSED: held without use. HOPS_OF_DJANGO: hops that Django made for
    itself and relief leaves out.
    """

    BLOCKS_LOOP = "blocks-loop"
    SERIAL_AWAITS = "serial-awaits"
    SERIAL_ON_THREAD = "serial-on-thread"
    CONNECTION_UNUSED = "connection-unused"
    THREAD_UNUSED = "thread-unused"
    HOPS_OF_DJANGO = "hops-of-django"


@dataclass(frozen=True, slots=True)
class TraceFinding:
    """One thing that this request could do without.

    Attributes:
        weakness: Which.
        basis: Measured where it was seen, estimated where it rests on a guess.
        cost_ms: What it cost this request or, for BLOCKS_LOOP, everyone on the loop.
        places: Indexes in `Trace.places`, the most guilty first.
        rows: Numbers of the rows that show it.
        text: The call, as the mark says it.
        count: How many calls, awaits or hops.
    """

    weakness: Weakness
    basis: Basis
    cost_ms: float
    places: tuple[int, ...] = ()
    rows: tuple[int, ...] = ()
    text: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """A trace and what was concluded of it.

    Attributes:
        trace: As recorded.
        timeline: Its lanes.
        demand: Its totals, all measured.
        rows: Execution table, by time.
        moments: Key moments, by time.
        findings: What blocks the loop first, then most costly first.
    """

    trace: Trace
    timeline: Timeline
    demand: Demand
    rows: tuple[Row, ...] = ()
    moments: tuple[Moment, ...] = ()
    findings: tuple[TraceFinding, ...] = ()
