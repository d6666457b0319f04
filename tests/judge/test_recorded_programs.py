"""Timelines of programs that really ran: awaits, hops, gathers, errors, cancellations, timeouts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from freeloop.judge.reading import read
from freeloop.model.reading import Reading
from freeloop.model.timeline import State
from freeloop.model.trace import LaneKind, MarkKind
from freeloop.model.trace_codec import decode_trace
from tests.judge.test_timeline import assert_sound

PROGRAMS = 60
MS = 1_000_000

type Ran = tuple[Reading, dict[str, int]]


@pytest.fixture(scope="module")
def ran() -> list[Ran]:
    """Record the programs in a process of its own, and judge them here."""
    script = Path(__file__).with_name("recorded_programs.py")
    told = subprocess.run(
        [sys.executable, str(script), "1", str(PROGRAMS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert told.returncode == 0, told.stderr
    found = []
    for line in told.stdout.splitlines():
        data = json.loads(line)
        found.append((read(decode_trace(data["trace"])), data["done"]))
    assert len(found) == PROGRAMS
    return found


def test_segments_tile_requests_that_really_ran(ran: list[Ran]) -> None:
    for reading, _done in ran:
        assert_sound(reading.trace)


def test_hops_and_tasks_are_as_many_as_the_programs_counted(ran: list[Ran]) -> None:
    for reading, done in ran:
        assert reading.demand.hops == done.get("hops", 0)
        assert reading.demand.tasks <= done.get("tasks", 0)  # one cancelled early never runs
    for kind in ("hops", "tasks", "sleeps", "errors", "blocked_ns"):
        assert any(done.get(kind) for _, done in ran), kind


def test_the_loop_is_blocked_for_as_long_as_the_programs_slept_on_it(ran: list[Ran]) -> None:
    """A sleep never ends early; that it ends late is the machine's doing."""
    for reading, done in ran:
        blocked_ms = done.get("blocked_ns", 0) / MS
        assert reading.demand.blocked_ms >= blocked_ms
        assert reading.demand.blocked_ms <= reading.demand.loop_ms


def test_a_lane_never_runs_while_another_has_the_loop(ran: list[Ran]) -> None:
    held = {State.RUNNING, State.BLOCKED, State.STARVED}
    for reading, _done in ran:
        times = sorted(
            (segment.start_ns, segment.end_ns)
            for lane in reading.trace.lanes
            if lane.kind is LaneKind.TASK
            for segment in reading.timeline.lanes[lane.id]
            if segment.state in held
        )
        assert all(first[1] <= second[0] for first, second in pairwise(times))


def test_what_is_offloaded_is_at_work_on_a_thread(ran: list[Ran]) -> None:
    """Each offloaded stretch lies in the work of its own hop."""
    seen: Counter[State] = Counter()
    for reading, _done in ran:
        works: dict[int, list[int]] = {}
        for mark in reading.trace.marks:
            if mark.kind is MarkKind.WORK:
                works.setdefault(mark.id, []).append(mark.at_ns)
        for lane in reading.timeline.lanes:
            for segment in lane:
                seen[segment.state] += 1
                if segment.state is State.OFFLOADED:
                    start_ns, end_ns = works[segment.mark or 0]
                    assert start_ns <= segment.start_ns < segment.end_ns <= end_ns
    for state in (State.OFFLOADED, State.QUEUED, State.READY, State.SUSPENDED, State.BLOCKED):
        assert seen[state]  # how many depends on the machine: programs give up by the clock
