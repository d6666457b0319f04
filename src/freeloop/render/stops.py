"""Where a walk through a trace stops: what happened and, between, each line that ran."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from freeloop.model.reading import Effect, Happening, Reading, Row
from freeloop.model.timeline import State
from freeloop.model.trace import LaneKind, Step, Trace, Variable
from freeloop.render.figures import ms_text
from freeloop.render.states import EFFECT_WORDS
from freeloop.render.trace_words import (
    STEP_WORDS,
    lane_name,
    row_sentence,
    row_words,
    short_text,
    stamp_text,
    step_sentence,
)

WAITS = frozenset({State.SUSPENDED, State.QUEUED, State.OFFLOADED, State.BLOCKED})
# Of a chain of coroutines each frame is suspended and resumed: one stop tells it.
CHAINED = {"suspend", "resume"}
# Of the view's own row, which its "call" step tells again.
ENTERED = "entered"


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the walk, and one line of its table.

    Attributes:
        at_ns: Since the request's start.
        lane: Id of the lane.
        place: Index in `Trace.places`; None if unknown.
        frame: Whose variables are shown; None if unknown.
        what: What happened, for a cell.
        sentence: The same as a sentence.
        row: Number in the execution table; None for a mere line.
        lasted: In ms, "" for a point.
        blocking: Whether it held the event loop in a waiting call.
        effect: On others.
        wait: Whether the lane waits here.
        news: Variables that the walk up to here made known, with the frame of each.
    """

    at_ns: int
    lane: int
    place: int | None
    frame: int | None
    what: str
    sentence: str
    row: int | None = None
    lasted: str = ""
    blocking: bool = False
    effect: Effect = Effect.NONE
    wait: bool = False
    news: tuple[tuple[int, Variable], ...] = ()

    @property
    def at(self) -> str:
        """The time in ms."""
        return stamp_text(self.at_ns)

    @property
    def effect_words(self) -> str:
        """What others do; "" for a mere line."""
        return "" if self.row is None else EFFECT_WORDS[self.effect]


def labels_of(stops: Iterable[Stop]) -> tuple[str, ...]:
    """Return what each stop is called: a row by its number, the lines after it 7.1, 7.2 and so on.

    So that a step of the terminal's table is the same step of the page.
    """
    labels: list[str] = []
    row, line = 0, 0
    for stop in stops:
        if stop.row is not None:
            row, line = stop.row, 0
            labels.append(str(row))
        else:
            line += 1
            labels.append(f"{row}.{line}")
    return tuple(labels)


@dataclass(frozen=True, slots=True)
class Pending:
    """An await that was pending for a while.

    Attributes:
        start_ns: Since the request's start.
        end_ns: After `start_ns`.
        place: Index in `Trace.places`.
        words: Who waits for what.
    """

    start_ns: int
    end_ns: int
    place: int
    words: str


def stops_of(reading: Reading) -> tuple[Stop, ...]:
    """Return the stops, by time."""
    lines = [(_of_step(reading.trace, step), step.event) for step in reading.trace.steps]
    rows = [
        (_of_row(reading, row), ENTERED if row.what is Happening.ENTERED else "")
        for row in reading.rows
    ]
    found = sorted([*lines, *rows], key=lambda pair: pair[0].at_ns)
    return tuple(_with_frames(_without_echoes(found)))


def pending_of(reading: Reading) -> tuple[Pending, ...]:
    """Return every await of a task that was pending, by time."""
    trace = reading.trace
    found = [
        Pending(
            row.start_ns,
            row.end_ns,
            row.place,
            f"{lane_name(trace, row.lane)} waits"
            + (f" for {short_text(row.text)}" if row.text else "")
            + f", {ms_text(row.end_ns - row.start_ns)} ms",
        )
        for row in reading.rows
        if row.place is not None
        and row.what in (Happening.SUSPENDED, Happening.HOP)
        and trace.lanes[row.lane].kind is LaneKind.TASK
    ]
    return tuple(sorted(found, key=lambda each: each.start_ns))


def _of_row(reading: Reading, row: Row) -> Stop:
    lasted_ns = row.end_ns - row.start_ns
    return Stop(
        at_ns=row.start_ns,
        lane=row.lane,
        place=row.place,
        frame=None,
        what=row_words(reading, row),
        sentence=row_sentence(reading, row),
        row=row.number,
        lasted=ms_text(lasted_ns) if lasted_ns else "",
        blocking=row.blocking,
        effect=row.effect,
        wait=row.state in WAITS,
    )


def _of_step(trace: Trace, step: Step) -> Stop:
    return Stop(
        at_ns=step.at_ns,
        lane=step.lane,
        place=step.place,
        frame=step.frame,
        what=f"{STEP_WORDS.get(step.event, step.event)} {trace.places[step.place].function}",
        sentence=step_sentence(trace, step),
        news=tuple((step.frame, item) for item in step.variables),
        wait=step.event == "suspend",
    )


def _without_echoes(found: Iterable[tuple[Stop, str]]) -> list[Stop]:
    """Return one stop where several tell of the same suspension or resumption."""
    kept: list[Stop] = []
    events: list[str] = []
    last: dict[int, int] = {}
    for stop, event in found:
        before = last.get(stop.lane)
        if before is not None and _echo(kept[before], events[before], stop, event):
            kept[before] = _merged(kept[before], stop, event)
            events[before] = event if event in CHAINED and not kept[before].row else ""
            continue
        last[stop.lane] = len(kept)
        kept.append(stop)
        events.append(event)
    return kept


def _echo(before: Stop, event_before: str, stop: Stop, event: str) -> bool:
    if {event, event_before} == {"call", ENTERED}:
        return before.place == stop.place
    if event in CHAINED and event == event_before:
        return True
    if event == "suspend":
        return before.wait and before.row is not None
    return stop.wait and stop.row is not None and event_before == "suspend"


def _merged(before: Stop, stop: Stop, event: str) -> Stop:
    """Return the stop that says most: a row before a line, else the innermost frame."""
    # Suspended from the inside out, resumed from the outside in.
    later = stop.row is not None or (event == "resume" and before.row is None)
    keep, other = (stop, before) if later else (before, stop)
    return replace(
        keep,
        place=other.place if keep.place is None else keep.place,
        frame=other.frame if keep.frame is None else keep.frame,
        news=(*before.news, *stop.news),
    )


def _with_frames(stops: Iterable[Stop]) -> Iterator[Stop]:
    """Yield the stops, a row with the frame that its lane was in last."""
    frames: dict[int, int] = {}
    for stop in stops:
        if stop.frame is not None:
            frames[stop.lane] = stop.frame
        yield replace(stop, frame=frames.get(stop.lane)) if stop.frame is None else stop
