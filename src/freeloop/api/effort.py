"""How long each part of a measurement takes, and the time left that progress shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from freeloop.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Effort:
    """Lengths of the parts, seconds, and how often they are repeated.

    Attributes:
        round_s: A timed round of the closed model, at least; slow views get longer ones.
        unloaded_s: One request in flight, before anything else.
        open_s: A round of the open model.
        open_rounds: Rounds of the open model per side and concurrency.
        observed_s: The round behind the agent.
        longest_round_s: No round is stretched beyond this for the sake of a slow view.
    """

    round_s: float = 0.7
    unloaded_s: float = 0.5
    open_s: float = 1.2
    open_rounds: int = 1
    observed_s: float = 0.7
    longest_round_s: float = 20.0

    def round_for(self, generation_s: float) -> float:
        """Return the length of a round, given how long all connections take to be answered once.

        Some servers answer a whole generation of requests at its end: a rate is taken between
        such ends, and one generation more or less must not decide it.
        """
        return min(self.longest_round_s, max(self.round_s, GENERATIONS * generation_s))


# Three ends and a bit: with two, a blocked loop that allows 47 answers/s showed 35 to 77 of them.
GENERATIONS = 4.0

# Seconds that a part takes beside its load: starting a server, its warm-up, draining. Estimates
# for the progress line alone; it corrects itself by the parts that are done.
_START_S = 3.0
_BESIDE_S = 0.3
_BURST_S = 5.0
_FEWEST_ROUNDS = 5


class Clock:
    """Knows which share of a plan is done and estimates the time left."""

    def __init__(self, plan: Plan, effort: Effort) -> None:
        self._effort = effort
        self._started = time.monotonic()
        self._expected_s = sum(
            self.pair_s(len(pair.concurrency), neighbour=pair.neighbour is not None)
            for pair in plan.pairs
        ) + sum(self.race_s(len(race.sides)) for race in plan.races)
        self._finished_s = 0.0
        self._share_of_part = 0.0
        self._part_s = 0.0

    def pair_s(self, cells: int, *, neighbour: bool) -> float:
        """Return the seconds that a pair of usual speed takes."""
        effort = self._effort
        a_cell = 2 * _FEWEST_ROUNDS * (effort.round_s + _BESIDE_S)
        a_cell += 2 * effort.open_rounds * (effort.open_s + _BESIDE_S) + 2 * effort.observed_s
        a_cell += 2 * effort.open_s if neighbour else 0.0
        return 4 * _START_S + 2 * effort.unloaded_s + cells * a_cell

    @staticmethod
    def race_s(lanes: int) -> float:
        """Return the seconds that a race of usual speed takes."""
        return lanes * (_START_S + _BURST_S)

    @contextmanager
    def part(self, part_s: float) -> Iterator[None]:
        """Count a part that is expected to take so long as done when the block ends."""
        self._part_s = part_s
        self._share_of_part = 0.0
        yield
        self._finished_s += part_s
        self._part_s = self._share_of_part = 0.0

    def within(self, share: float) -> None:
        """Say how much of the part is done, 0 to 1."""
        self._share_of_part = min(1.0, max(self._share_of_part, share))

    @property
    def done(self) -> float:
        """Return the finished share of the plan, 0 to 1."""
        if self._expected_s <= 0:
            return 1.0
        return min(1.0, (self._finished_s + self._share_of_part * self._part_s) / self._expected_s)

    @property
    def left_s(self) -> float:
        """Return the estimated seconds left, from the pace so far once there is some."""
        spent = time.monotonic() - self._started
        remaining = self._expected_s * (1 - self.done)
        if self.done < 0.1:
            return remaining
        return spent * (1 - self.done) / self.done
