"""Rows of all threads to a Trace: times from the request's start, places told, pairs checked."""

from __future__ import annotations

import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from freeloop.model.trace import (
    Edge,
    Lane,
    Mark,
    MarkKind,
    Origin,
    Place,
    Recorded,
    Sample,
    Step,
    Trace,
    TraceEnvironment,
    Variable,
)
from freeloop.record.buffer import Row
from freeloop.record.places import Places, Spot
from freeloop.record.recorder import Recorder

MOST_SOURCE = 400_000


class DoesNotPair(Exception):  # noqa: N818 - the recorder's fault, never the project's
    """An end without its begin, or a second begin: such a recording would tell untruths."""


@dataclass(slots=True)
class _Table:
    """Places in the order in which they are first named."""

    places: Places
    index: dict[Spot, int] = field(default_factory=dict)

    def number(self, spot: Spot | None) -> int | None:
        return None if spot is None else self.index.setdefault(spot, len(self.index))

    def resolved(self) -> tuple[Place, ...]:
        return tuple(self.places.resolve(spot) for spot in self.index)


def assemble(recorder: Recorder, request: Recorded, environment: TraceEnvironment) -> Trace:
    """Return the sealed recording.

    Raises:
        DoesNotPair: If an end has no begin.
    """
    rows = recorder.marks.sorted()
    started, ended = span_of(rows, recorder.stopped_ns)
    table = _Table(recorder.places)
    marks = tuple(_marks(paired(rows, ended), started, table))
    steps = tuple(
        Step(
            at_ns=at - started,
            lane=lane,
            place=_known(table.number(spot)),
            frame=frame,
            event=event,
            variables=tuple(Variable(*each) for each in changed),
        )
        for at, lane, spot, frame, event, changed in recorder.steps.sorted()
        if started <= at <= ended
    )
    samples = tuple(
        Sample(at - started, lane, tuple(_known(table.number(spot)) for spot in spots))
        for at, lane, spots in recorder.samples.sorted()
        if started <= at <= ended
    )
    return Trace(
        environment=environment,
        request=request,
        lanes=tuple(Lane(lane.id, lane.kind, lane.name, lane.parent) for lane in recorder.lanes),
        places=table.resolved(),
        marks=marks,
        steps=steps,
        samples=samples,
        sources=sources_of(table),
    )


def span_of(rows: Iterable[Row], stopped: int) -> tuple[int, int]:
    """Return when the request started and ended; one that never did, ends when it was stopped."""
    started = ended = 0
    for at, kind, edge, *_ in rows:
        if kind is MarkKind.REQUEST:
            if edge is Edge.BEGIN:
                started = at
            else:
                ended = at
    return started, ended or stopped


def paired(rows: Iterable[Row], ended: int) -> Iterator[Row]:
    """Yield the rows up to the request's end, with an end for each pair that goes on after it.

    Raises:
        DoesNotPair: If an end has no begin, or a pair begins twice.
    """
    open_pairs: dict[tuple[MarkKind, int], Row] = {}
    late: set[tuple[MarkKind, int]] = set()
    for row in rows:
        at, kind, edge, _lane, number = row[:5]
        pair = (kind, number)
        if edge is Edge.BEGIN:
            if pair in open_pairs:
                raise DoesNotPair(f"{kind} {number} begins twice")
            if at > ended:
                late.add(pair)
            else:
                open_pairs[pair] = row
        elif edge is Edge.END and pair not in late:
            if pair not in open_pairs:
                raise DoesNotPair(f"{kind} {number} ends without a begin")
            if at <= ended:
                del open_pairs[pair]
        if at <= ended:
            yield row
    for (kind, number), row in open_pairs.items():
        yield _closing(kind, number, row, ended)


def _closing(kind: MarkKind, number: int, begin: Row, ended: int) -> Row:
    lane, text = begin[3], begin[9]
    unfinished = {"unfinished": True}
    return ended, kind, Edge.END, lane, number, None, None, None, None, text, unfinished


def _marks(rows: Iterable[Row], started: int, table: _Table) -> Iterator[Mark]:
    for at, kind, edge, lane, number, parent, spot, cpu, queue, text, detail in rows:
        yield Mark(
            at_ns=max(at - started, 0),
            kind=kind,
            edge=edge,
            lane=lane,
            id=number,
            parent=parent,
            place=table.number(spot),
            cpu_ns=cpu,
            queue_ns=queue,
            text=text,
            detail=detail or {},
        )


def sources_of(table: _Table) -> Mapping[str, str]:
    """Return the text of each project file that a place lies in."""
    files = {
        code.co_filename for code, _ in table.index if table.places.origin(code) is Origin.PROJECT
    }
    found = {}
    for file in sorted(files):
        try:
            with tokenize.open(file) as source:
                found[table.places.shown(file)] = source.read(MOST_SOURCE)
        except (OSError, SyntaxError, UnicodeDecodeError):
            continue
    return found


def _known(number: int | None) -> int:
    assert number is not None  # a step and a sample always have a place
    return number
