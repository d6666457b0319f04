"""Marks: what fits is kept and what does not is counted; what does not pair is refused."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from freeloop.model.trace import Edge, LaneKind, MarkKind
from freeloop.record.assemble import DoesNotPair, paired
from freeloop.record.buffer import Buffer, Row
from freeloop.record.recorder import Recorder


def row(at: int, edge: Edge, number: int = 1, kind: MarkKind = MarkKind.QUERY) -> Row:
    return at, kind, edge, 0, number, None, None, None, None, "", None


def test_rows_past_the_cap_are_counted_exactly() -> None:
    """Several threads write at once, and the count must still add up."""
    buffer = Buffer(1000)

    def write() -> None:
        for at in range(500):
            buffer.add((at,))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(buffer.sorted()) == 1000
    assert buffer.dropped == 1000


def test_a_pair_that_began_can_always_end(tmp_path: Path) -> None:
    """The end keeps its place from the begin on, so that a full buffer holds whole pairs."""
    recorder = Recorder(str(tmp_path), most_marks=3)
    lane = recorder.new_lane(LaneKind.TASK, "request", None)

    first = recorder.begin(MarkKind.QUERY, lane)
    second = recorder.begin(MarkKind.QUERY, lane)
    recorder.end(second)
    recorder.end(first)
    recorder.queue.close()

    edges = [each[2] for each in recorder.marks.sorted()]
    assert second is None
    assert edges == [Edge.BEGIN, Edge.END]
    assert recorder.marks.dropped == 1


def test_an_end_without_a_begin_is_refused() -> None:
    """Guessing which begin was meant would tell untruths."""
    with pytest.raises(DoesNotPair, match="query 2 ends without a begin"):
        list(paired([row(1, Edge.BEGIN, 1), row(2, Edge.END, 2)], 9))


def test_a_pair_that_begins_twice_is_refused() -> None:
    """An id belongs to one pair of its kind."""
    with pytest.raises(DoesNotPair, match="begins twice"):
        list(paired([row(1, Edge.BEGIN), row(2, Edge.BEGIN)], 9))


def test_what_goes_on_after_the_request_ends_with_it_and_says_so() -> None:
    """A task that outlives its request, a connection that is kept."""
    rows = list(paired([row(1, Edge.BEGIN), row(12, Edge.END), row(13, Edge.BEGIN, 2)], 9))

    assert [(each[0], each[2]) for each in rows] == [(1, Edge.BEGIN), (9, Edge.END)]
    assert rows[-1][10] == {"unfinished": True}
