"""What the clocks can have shown when a stretch began and ended, between two looks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from freeloop.watch.clocks import Reading
from freeloop.watch.looks import Look, Looks
from freeloop.watch.loops import HookedLoop, WatchedLoop
from freeloop.watch.stretch import Cause
from freeloop.watch.summons import Summons
from freeloop.watch.verdict import of_stretch

MS = 1_000_000
THRESHOLD_NS = 20 * MS


def look(at_ms: int, cpu: int = 0, delay: int = 0, process: int = 0, watchdog: int = 0) -> Look:
    """Return a look; all in milliseconds."""
    return Look(Reading(at_ms * MS, cpu * MS, delay * MS), process * MS, watchdog * MS)


def test_delays_of_a_quiet_time_are_not_taken_off_the_stretch_after_it() -> None:
    """The last look is a second old, and the next one comes five milliseconds late."""
    looks = Looks(look(0))
    looks.note(look(905, cpu=20, delay=300, process=50, watchdog=200))

    assert looks.before(900 * MS) == look(900, cpu=15, delay=295, process=45, watchdog=195)


def test_delays_after_the_end_are_not_taken_off_the_stretch_before_it() -> None:
    """The host kept both threads for half a second before the watchdog looked again."""
    looks = Looks(look(0))
    looks.note(look(80, cpu=1, delay=2, process=4, watchdog=7))
    looks.note_own(Reading(85 * MS, 2 * MS, 3 * MS), 5 * MS)
    looks.note(look(567, cpu=5, delay=480, process=9, watchdog=250))

    assert looks.after(85 * MS) == look(85, cpu=2, delay=3, process=5, watchdog=12)


def test_a_wait_for_a_core_that_no_look_saw_counts_if_the_thread_itself_did_not_look() -> None:
    """Linux counts it once it is over: in between the clocks stand still, as in a sleep."""
    looks = Looks(look(0))
    looks.note(look(80, cpu=1))
    looks.note(look(90, cpu=2, delay=84))

    assert looks.after(85 * MS).reading.delay_ns == 84 * MS


def test_where_there_is_no_look_on_one_side_the_other_one_tells() -> None:
    looks = Looks(look(100, delay=10))

    assert looks.before(90 * MS) == looks.before(110 * MS) == look(100, delay=10)
    assert looks.after(90 * MS) == looks.after(110 * MS) == look(100, delay=10)


@pytest.fixture
def watched() -> Iterator[WatchedLoop]:
    loop = asyncio.new_event_loop()
    found = HookedLoop(loop, THRESHOLD_NS, Summons([False], lambda: None, None, 0), None)
    yield found
    found.leave()
    loop.close()


def judged(watched: WatchedLoop, own: Look, looks: list[Look]) -> tuple[Cause, float] | None:
    """Return cause and length of a stretch from 0 to its thread's own look."""
    first = watched.looks.last(time.perf_counter_ns()).reading
    since_ns = first.at_ns + 100 * MS

    def moved(each: Look) -> Reading:
        at_ns, cpu_ns, delay_ns = each.reading
        return Reading(since_ns + at_ns, first.cpu_ns + cpu_ns, first.delay_ns + delay_ns)

    for each in looks:
        watched.note(moved(each), each.process_ns, each.watchdog_ns)
    watched.looks.note_own(moved(own), own.process_ns)
    found = of_stretch(watched, since_ns, moved(own).at_ns, THRESHOLD_NS)
    return None if found is None else (found.cause, found.ms)


def test_a_block_that_is_judged_late_on_a_busy_host_is_a_block(watched: WatchedLoop) -> None:
    """As seen in a soak: half a second of delay came after the end, and before the next look."""
    seen = [look(5), look(80), look(567, cpu=3, delay=480)]

    assert judged(watched, look(85, delay=5), seen) == (Cause.WAIT, 80.0)


def test_a_stretch_that_was_all_delay_is_the_hosts(watched: WatchedLoop) -> None:
    """Its near twin: the delay came before the end, and the looks saw the same."""
    seen = [look(5), look(80), look(567, cpu=3, delay=480)]

    assert judged(watched, look(85, delay=80), seen) == (Cause.STARVED, 80.0)


def test_what_may_have_been_delay_is_not_taken_for_work(watched: WatchedLoop) -> None:
    """Six seconds without a look: more of both clocks than the stretch is long."""
    seen = [look(-90), look(6000, cpu=600, delay=3000)]

    assert judged(watched, look(615, cpu=600, delay=2800), seen) == (Cause.STARVED, 615.0)


def test_a_wait_for_a_lock_whose_holder_had_no_core_is_the_hosts(watched: WatchedLoop) -> None:
    """Of the 90 ms the loop's own wait for a core was 10, and counts once."""
    since_ns = watched.looks.last(time.perf_counter_ns()).reading.at_ns + 100 * MS
    watched.kept.append((since_ns + 5 * MS, since_ns + 95 * MS, 10 * MS))

    assert judged(watched, look(100, delay=12), [look(4), look(101)]) == (Cause.STARVED, 92.0)
