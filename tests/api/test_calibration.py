"""Which bursts a prediction rests on, where other programs wanted the same core."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from freeloop.api.calibration import TRIES, calmest
from freeloop.model.prediction import Calibration
from tests.judge.test_calibrate import WAITING, disturbed


def in_turn(tries: Iterable[Calibration]) -> tuple[Callable[[], Calibration], list[Calibration]]:
    """Return what gives one after the other, and those that it gave."""
    left, given = iter(tries), []

    def load() -> Calibration:
        given.append(next(left))
        return given[-1]

    return load, given


@pytest.mark.parametrize("calm_at", [1, 2, TRIES])
def test_bursts_are_taken_until_nobody_disturbs_them(calm_at: int) -> None:
    tries = [disturbed(WAITING, 3.0)] * (calm_at - 1) + [WAITING] * TRIES
    load, given = in_turn(tries)

    assert calmest(load) is WAITING
    assert len(given) == calm_at


def test_on_a_busy_machine_the_calmest_of_a_few_tries_counts() -> None:
    """Not the last, and not the one that did most."""
    worst, calm, middle = (disturbed(WAITING, times) for times in (1.66, 1.4, 1.5))
    load, given = in_turn((worst, calm, middle))

    assert calmest(load) is calm
    assert len(given) == TRIES
