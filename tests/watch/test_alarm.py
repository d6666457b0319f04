"""The alarm on its own: rung, set, taken back, and what a forked child must leave alone."""

from __future__ import annotations

import os
import resource
import threading
import time

import pytest

from freeloop.watch.alarm import Alarm, FileAlarm, Timer, new_alarm

MS = 1_000_000


@pytest.fixture(params=[Alarm, new_alarm], ids=["without timers", "with timers, if any"])
def alarm(request: pytest.FixtureRequest) -> Alarm:
    made: Alarm = request.param()
    return made


@pytest.fixture
def with_timers() -> FileAlarm:
    """CPython can make timers from 3.13 on, on Linux: elsewhere there is nothing to test."""
    found = new_alarm()
    if not isinstance(found, FileAlarm):
        assert not hasattr(os, "timerfd_create")
        pytest.skip("this Python cannot make timers")
    return found


def soon(after_ms: int) -> int:
    return time.perf_counter_ns() + after_ms * MS


def set_timer(alarm: Alarm, after_ms: int) -> Timer:
    timer = alarm.timer()
    assert timer is not None
    timer.set(after_ms * MS)
    return timer


def test_nobody_rings(alarm: Alarm) -> None:
    due_ns = soon(20)

    assert alarm.wait(due_ns) == (due_ns, False)
    assert time.perf_counter_ns() >= due_ns


def test_a_ring_ends_one_sleep_however_often(alarm: Alarm) -> None:
    """The one that goes on, or the next: what rang before is not lost, and not heard twice."""
    before_ns = time.perf_counter_ns()
    for _ in range(3):
        alarm.ring()

    due_ns, rung = alarm.wait(soon(60_000))
    assert rung
    assert before_ns <= due_ns <= time.perf_counter_ns()
    assert not alarm.wait(soon(20))[1]


def test_another_thread_rings(alarm: Alarm) -> None:
    thread = threading.Timer(0.05, alarm.ring)
    thread.start()

    assert alarm.wait(soon(60_000))[1]
    thread.join()


def test_a_timer_says_when_it_was_due(with_timers: FileAlarm) -> None:
    timer = set_timer(with_timers, 20)

    assert with_timers.wait(soon(60_000)) == (timer.due_ns, False)
    assert time.perf_counter_ns() >= timer.due_ns
    assert not with_timers.wait(soon(30))[1]


def test_a_timer_that_was_taken_back_is_not_heard(with_timers: FileAlarm) -> None:
    set_timer(with_timers, 20).take_back()
    due_ns = soon(80)

    assert with_timers.wait(due_ns) == (due_ns, False)


def test_the_first_of_several_counts(with_timers: FileAlarm) -> None:
    late, early = set_timer(with_timers, 60), set_timer(with_timers, 10)
    time.sleep(0.1)

    assert with_timers.wait(soon(60_000)) == (early.due_ns, False)
    assert late.due_ns > early.due_ns


def test_a_timer_that_has_left_is_closed_and_heard_by_nobody(with_timers: FileAlarm) -> None:
    timer = set_timer(with_timers, 10)
    file = timer.file
    timer.leave()
    del timer

    due_ns = soon(50)
    assert with_timers.wait(due_ns) == (due_ns, False)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)


def test_without_a_free_file_there_is_no_timer_and_nothing_is_said(
    with_timers: FileAlarm, capfd: pytest.CaptureFixture[str]
) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        assert with_timers.timer() is None
        assert type(new_alarm()) is Alarm
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert capfd.readouterr().err == ""


@pytest.mark.filterwarnings("ignore:This process")
def test_a_forked_child_leaves_the_parents_alarm_alone(with_timers: FileAlarm) -> None:
    timer = set_timer(with_timers, 300)
    child = os.fork()
    if not child:
        with_timers.leave()
        timer.leave()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0

    assert with_timers.wait(soon(60_000)) == (timer.due_ns, False)
    with_timers.ring()
    assert with_timers.wait(soon(60_000))[1]
