"""Which cause follows from which samples and clocks."""

from __future__ import annotations

from typing import Any

import pytest

from freeloop.watch.cause import Measured, judge
from freeloop.watch.sample import Sample
from freeloop.watch.stretch import Cause, Frame

MS = 1_000_000
VIEW: Frame = ("/srv/shop/views.py", 12, "checkout")
HELPER: Frame = ("/srv/shop/prices.py", 41, "fetch_rate")
LIBRARY: Frame = ("/usr/lib/python3.13/socket.py", 3, "recv")
STARTING: tuple[Frame, ...] = (
    ("/usr/lib/python3.13/threading.py", 363, "wait"),
    ("/usr/lib/python3.13/threading.py", 655, "wait"),
    ("/usr/lib/python3.13/threading.py", 1010, "start"),
    VIEW,
)


def sample(at_ms: float, stack: tuple[Frame, ...] = (VIEW,), **more: Any) -> Sample:
    fields: dict[str, Any] = {"step": 1, "origin": None, "route": None, "task": None}
    return Sample(at_ns=int(at_ms * MS), stack=stack, **fields | more)


def clocks(wall: float, cpu: float = 0, delay: float = 0, gc: float = 0, all_: float = 0) -> Any:
    return Measured(
        *(int(each * MS) for each in (wall, cpu, delay, gc, max(all_, cpu))),
    )


def cause(samples: list[Sample], measured: Measured) -> Cause:
    return judge(samples, measured, 20 * MS).cause


FOUR = [sample(each) for each in (10, 15, 20, 25)]


@pytest.mark.parametrize(
    ("samples", "measured", "right"),
    [
        (FOUR, clocks(30), Cause.WAIT),
        (FOUR, clocks(30, cpu=28), Cause.CPU),
        (FOUR, clocks(30, cpu=2, delay=5), Cause.WAIT),
        (FOUR, clocks(30, cpu=10, delay=18), Cause.STARVED),
        (FOUR, clocks(60, cpu=20, delay=30), Cause.CPU),
        (FOUR, clocks(30, cpu=28, gc=25), Cause.GC),
        ([sample(40, lock_ns=30 * MS)], clocks(42, cpu=41), Cause.GIL_HELD),
        ([sample(40, lock_ns=30 * MS)], clocks(42), Cause.GIL_HELD),
        ([sample(40, lock_ns=5 * MS)], clocks(42, cpu=41), Cause.CPU),
        (
            [sample(40, lock_ns=30 * MS, blamed=(HELPER,))],
            clocks(42, all_=40),
            Cause.GIL_OTHER_THREAD,
        ),
        ([sample(each, STARTING) for each in (10, 15, 20)], clocks(30), Cause.THREAD_START),
        ([sample(each, step=each) for each in (10, 20, 30, 40)], clocks(50, 50), Cause.SATURATION),
        (
            [sample(10, step=1), *[sample(each, step=2) for each in (15, 60)]],
            clocks(70),
            Cause.WAIT,
        ),
        ([], clocks(30), Cause.WAIT),
        ([], clocks(30, cpu=29), Cause.CPU),
        ([], clocks(30, cpu=1, all_=30), Cause.GIL_OTHER_THREAD),
    ],
)
def test_the_cause_follows_from_samples_and_clocks(
    samples: list[Sample], measured: Measured, right: Cause
) -> None:
    assert cause(samples, measured) is right


def test_the_stack_that_most_samples_agree_on_is_shown() -> None:
    through_helper = (LIBRARY, HELPER, VIEW)
    samples = [sample(10), *(sample(each, through_helper) for each in (15, 20, 25))]

    judged = judge(samples, clocks(30), 20 * MS)

    assert judged.frames == through_helper
    assert judged.confidence == pytest.approx(0.75 * (1 - 1 / 8))


def test_of_what_one_line_calls_that_is_shown_which_it_was_seen_in_most() -> None:
    quick = sample(10, (("/usr/lib/python3.13/gettext.py", 3, "find"), VIEW))

    judged = judge([quick, *(sample(each, (LIBRARY, VIEW)) for each in (15, 20))], clocks(30), MS)

    assert judged.frames == (LIBRARY, VIEW)


def test_another_thread_is_blamed_with_its_own_stack() -> None:
    judged = judge([sample(40, lock_ns=30 * MS, blamed=(HELPER,))], clocks(42, all_=40), 20 * MS)

    assert judged.frames == (HELPER,)
    assert judged.other == (VIEW,)


def test_what_used_a_core_is_not_the_start_of_a_thread_that_came_after_it() -> None:
    """One look, when the interpreter lock was free again: the loop was one callback further."""
    late = sample(90, STARTING, step=2, lock_ns=80 * MS)

    unseen = judge([late], clocks(95, cpu=82), 20 * MS)
    seen = judge([sample(10), late], clocks(95, cpu=82), 20 * MS)

    assert (unseen.cause, unseen.frames) == (Cause.GIL_HELD, ())
    assert (seen.cause, seen.frames) == (Cause.GIL_HELD, (VIEW,))


def test_no_sample_means_little_confidence() -> None:
    judged = judge([], clocks(30), 20 * MS)

    assert judged.frames == ()
    assert judged.confidence <= 0.1
