"""Segments tile the request exactly, whatever the marks; and say what really happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings

from freeloop.judge.timeline import timeline
from freeloop.model.timeline import Segment, State
from freeloop.model.trace import LaneKind, Trace
from tests.judge.programs import Part, parts, play, torn_traces

WAITING = {State.SUSPENDED, State.READY}


def assert_tiles(segments: Sequence[Segment], start_ns: int, end_ns: int) -> None:
    """Fail unless the segments cover the time from start to end once."""
    if start_ns == end_ns:
        assert not segments
        return
    assert segments[0].start_ns == start_ns
    assert segments[-1].end_ns == end_ns
    for first, second in pairwise(segments):
        assert first.end_ns == second.start_ns
    for segment in segments:
        assert segment.start_ns < segment.end_ns


def assert_sound(trace: Trace) -> None:
    """Fail unless every lane is free of overlap, and no number is impossible."""
    found = timeline(trace)
    assert_tiles(found.request, 0, trace.duration_ns)
    assert len(found.lanes) == len(trace.lanes)
    for lane, segments in enumerate(found.lanes):
        for first, second in pairwise(segments):
            assert first.end_ns <= second.start_ns
        for segment in segments:
            length_ns = segment.end_ns - segment.start_ns
            assert segment.lane == lane
            assert length_ns > 0
            assert segment.unexplained_ns >= 0
            assert (segment.cpu_ns or 0) >= 0
            assert (segment.cpu_ns or 0) + (segment.queue_ns or 0) <= length_ns
            assert (segment.cpu_ns or 0) + segment.unexplained_ns <= length_ns


def spent(segments: Sequence[Segment]) -> Counter[State]:
    """Return how long the lane was in which state; what starved had a run."""
    found: Counter[State] = Counter()
    for segment in segments:
        state = State.RUNNING if segment.state is State.STARVED else segment.state
        found[state] += segment.end_ns - segment.start_ns
    return found


@given(torn_traces())
@settings(max_examples=400, deadline=None)
def test_segments_tile_the_request_even_if_the_marks_are_torn(trace: Trace) -> None:
    """Ends without begins, begins without ends, pairs across lanes, equal times, clocks astray."""
    assert_sound(trace)


@given(parts())
@settings(max_examples=300, deadline=None)
def test_every_lane_did_what_the_program_let_it_do(program: tuple[Part, ...]) -> None:
    """Runs, blocks, hops with queue and work, gathers, errors and cancellations, to the nanosecond.

    How much of a plain await was readiness nobody recorded, so both count together.
    """
    played = play(program)

    assert_sound(played.trace)
    found = timeline(played.trace)
    for lane in played.trace.lanes:
        if lane.kind is not LaneKind.TASK:
            continue
        truth, told = played.truth[lane.id], spent(found.lanes[lane.id])
        for state in set(State) - WAITING:
            assert told[state] == truth[state], (lane, state)
        assert sum(told[s] for s in WAITING) == sum(truth[s] for s in WAITING)
        assert told[State.READY] >= truth[State.READY]
