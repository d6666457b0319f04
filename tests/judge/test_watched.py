"""Reports added up: what is worst, and how each worker does now."""

from __future__ import annotations

import pytest

from freeloop.judge.watched import MOST_WORKERS, Tally
from freeloop.model.watched import Report
from freeloop.watch.stretch import Cause, Stretch
from tests.watch.sinks.stretches import stretch

NOW = 1_800_000_000.0


def report(given: Stretch, *, pid: int = 7, threads: int = 5) -> Report:
    return Report(stretch=given, file="watch.jsonl", pid=pid, threads=threads)


def test_blocks_come_first_and_the_host_last() -> None:
    """Everybody on the loop waits for a block; no code mends a busy host."""
    tally = Tally()
    for each in (
        stretch(cause=Cause.STARVED, ms=9000),
        stretch(cause=Cause.POOL_WAIT, ms=5000),
        stretch(route="light/", ms=30),
        stretch(route="heavy/", ms=300),
    ):
        tally.add(report(each))

    overview = tally.overview()

    assert [(line.cause, line.route) for line in overview.lines][:2] == [
        ("wait", "heavy/"),
        ("wait", "light/"),
    ]
    assert [line.kind for line in overview.lines] == ["block", "block", "hidden", "host"]
    assert overview.held_ms == 330


def test_a_worker_is_judged_by_its_latest_minute() -> None:
    """What held the loop an hour ago does not tell how it is now."""
    tally = Tally()
    tally.add(report(stretch(ms=5000, started=NOW - 3600)))
    tally.add(report(stretch(ms=600, started=NOW - 30)))
    tally.add(report(stretch(ms=1200, started=NOW - 10), threads=11))
    tally.add(report(stretch(cause=Cause.SERIALISED, ms=800, started=NOW - 5), threads=12))

    (worker,) = tally.overview(at=NOW).workers
    (later,) = tally.overview(at=NOW + 120).workers

    assert (worker.longest_ms, worker.threads) == (1200, 12)
    assert worker.held_share == pytest.approx(0.03)
    assert (later.longest_ms, later.held_share) == (0.0, 0.0)


def test_workers_of_old_deployments_are_forgotten() -> None:
    """A file lives for months, a worker for hours."""
    tally = Tally()

    for pid in range(MOST_WORKERS + 50):
        tally.add(report(stretch(), pid=pid))

    pids = {worker.pid for worker in tally.overview().workers}
    assert pids == set(range(50, MOST_WORKERS + 50))
