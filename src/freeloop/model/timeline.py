"""Timeline: what each lane of a trace did when; the request's lane tiled without gap or overlap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What a lane did during a segment.

    RUNNING: on the CPU. BLOCKED: held its thread (for a task: the event loop) in a waiting call.
    STARVED: could run, and no core or no interpreter lock was free. SUSPENDED: at an await point.
    READY: could go on, and the loop was busy with something else. QUEUED: waited for a thread.
    OFFLOADED: its work was done on a thread, which has a lane of its own. HELD: a connection or a
    thread that was kept and not used; USED: a connection with a query running.
    """

    RUNNING = "running"
    BLOCKED = "blocked"
    STARVED = "starved"
    SUSPENDED = "suspended"
    READY = "ready"
    QUEUED = "queued"
    OFFLOADED = "offloaded"
    HELD = "held"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of one lane in one state.

    Attributes:
        lane: Id of the lane.
        start_ns: Since the request's start.
        end_ns: After `start_ns`.
        state: What the lane did.
        place: Index in `Trace.places` of the line that it is put down to; None if unknown.
        text: What it waited for or did: the mark's text.
        mark: Id of the mark it comes from, with `kind`; None for the rest of a lane.
        cpu_ns: CPU time in it; None where it was not read.
        queue_ns: Run-queue delay in it; None where the kernel does not tell.
        unexplained_ns: Neither CPU, nor a known wait, nor run-queue delay: an upper bound for the
            interpreter lock.
    """

    lane: int
    start_ns: int
    end_ns: int
    state: State
    place: int | None = None
    text: str = ""
    mark: int | None = None
    kind: str = ""
    cpu_ns: int | None = None
    queue_ns: int | None = None
    unexplained_ns: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """All segments of a trace.

    Attributes:
        duration_ns: Of the request.
        lanes: Segments by lane id, each sorted by time. Lane 0 tiles 0 to `duration_ns` exactly.
    """

    duration_ns: int
    lanes: tuple[tuple[Segment, ...], ...]

    @property
    def request(self) -> tuple[Segment, ...]:
        """The segments of the request's own lane."""
        return self.lanes[0]
