"""Reading to Structure: what of a request waits, under which limit, how often in sequence."""

from __future__ import annotations

from dataclasses import dataclass

from freeloop.judge.intervals import length_ns
from freeloop.judge.pairs import CALLS, Pair, Pairs, pair_marks
from freeloop.model.prediction import Limit, LimitKind
from freeloop.model.reading import Reading, Weakness
from freeloop.model.timeline import State
from freeloop.model.trace import MarkKind, Trace

# A shorter wait changes no prediction, and Django makes many short ones itself.
LEAST_MS = 0.5


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """One call that kept the request waiting, without the calls inside it.

    Attributes:
        kind: QUERY, OUTBOUND, SLEEP, LOCK, FILE or CACHE.
        text: "GET 127.0.0.1:8001 200", "time.sleep".
        library: Client library of an outbound call, else "".
        place: "path:line" it is put down to, "" if unknown.
        ms: How long.
        blocked_ms: How much of it held the event loop.
        lane: Task or thread that made it.
    """

    kind: MarkKind
    text: str
    library: str
    place: str
    ms: float
    blocked_ms: float
    lane: int


@dataclass(frozen=True, slots=True)
class SerialWaits:
    """Awaits of one function, one after another, that may be independent.

    Attributes:
        function: Its name.
        saving_ms: How much shorter they are together.
        count: How many.
    """

    function: str
    saving_ms: float
    count: int


@dataclass(frozen=True, slots=True)
class Structure:
    """What a prediction takes from a trace.

    Attributes:
        async_view: Whether the view is `async def`; None when not known.
        calls: That waited, by time.
        blocked_ms: The event loop was held in waiting calls.
        executor_ms: Threads of the loop's own executor worked for it, summed.
        executor_slots: Threads that this executor may have, over all workers.
        connection_ms: Database connections were held for it, summed.
        pool_slots: Most connections of the database pool, over all workers; None without one.
        serial: Awaits one after another that may be independent.
        queued_on_thread: Calls that were gathered and still ran one after another on one thread.
    """

    async_view: bool | None
    calls: tuple[WaitingCall, ...]
    blocked_ms: float
    executor_ms: float
    executor_slots: int
    connection_ms: float
    pool_slots: int | None
    serial: tuple[SerialWaits, ...]
    queued_on_thread: int

    def limits(self, *, asgi: bool) -> tuple[Limit, ...]:
        """Return the limits inside the request; the loop's executor exists under ASGI only."""
        found = []
        if asgi and self.executor_ms >= LEAST_MS:
            found.append(Limit(LimitKind.EXECUTOR, self.executor_slots, self.executor_ms))
        if self.pool_slots is not None and self.connection_ms >= LEAST_MS:
            found.append(Limit(LimitKind.DATABASE, self.pool_slots, self.connection_ms))
        return tuple(found)


def structure_of(reading: Reading, *, executor_slots: int, pool_slots: int | None) -> Structure:
    """Return the structure of a traced request.

    Args:
        reading: Of a trace through the ASGI handler; a sync view's calls are on its thread there.
        executor_slots: Threads of a loop's own executor, as the deployment has them.
        pool_slots: Most connections of the database pool; None without one.
    """
    trace, pairs = reading.trace, pair_marks(reading.trace)
    executor = {
        hop.id
        for hop in pairs.of(MarkKind.HOP)
        if hop.detail.get("how") == "thread" and hop.detail.get("executor") == "NoneType"
    }
    works = [work for work in pairs.of(MarkKind.WORK) if work.id in executor]
    return Structure(
        async_view=trace.request.async_view,
        calls=tuple(_calls(reading, trace, pairs)),
        blocked_ms=reading.demand.blocked_ms,
        executor_ms=sum(work.length_ns for work in works) / 1e6,
        executor_slots=executor_slots,
        connection_ms=reading.demand.connection_held_ms,
        pool_slots=pool_slots,
        serial=tuple(
            SerialWaits(finding.text, finding.cost_ms, finding.count)
            for finding in reading.findings
            if finding.weakness is Weakness.SERIAL_AWAITS
        ),
        queued_on_thread=sum(
            finding.count
            for finding in reading.findings
            if finding.weakness is Weakness.SERIAL_ON_THREAD
        ),
    )


def _calls(reading: Reading, trace: Trace, pairs: Pairs) -> list[WaitingCall]:
    blocked = [
        (segment.start_ns, segment.end_ns, segment.lane)
        for lane, segments in zip(trace.lanes, reading.timeline.lanes, strict=True)
        if lane.kind.value == "task" and not (lane.id == 0 and trace.request.interface == "wsgi")
        for segment in segments
        if segment.state is State.BLOCKED
    ]
    found = []
    for lane in trace.lanes:
        end_ns = 0
        for call in pairs.on(lane.id):
            # Calls inside a call, such as a connection's own pool, are told with the outer one.
            if call.kind not in CALLS or call.end_ns <= end_ns or call.end is None:
                continue
            end_ns = call.end_ns
            held_ns = length_ns(
                (max(start, call.start_ns), min(end, call.end_ns))
                for start, end, where in blocked
                if where == lane.id and start < call.end_ns and end > call.start_ns
            )
            if call.length_ns / 1e6 >= LEAST_MS:
                found.append((call.start_ns, _call(call, trace, held_ns)))
    return [call for _start_ns, call in sorted(found, key=lambda each: each[0])]


def _call(call: Pair, trace: Trace, held_ns: int) -> WaitingCall:
    place = trace.places[call.place] if call.place is not None else None
    return WaitingCall(
        kind=call.kind,
        text=call.text,
        library=str(call.detail.get("library", "")),
        place=f"{place.path}:{place.line}" if place else "",
        ms=call.length_ns / 1e6,
        blocked_ms=held_ns / 1e6,
        lane=call.lane,
    )
