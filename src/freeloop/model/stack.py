"""StackReport: the project's middleware, what each layer costs, and what other orders would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from freeloop.relief.explanation import Piece
from freeloop.relief.simulation import HOLDING, Order, Simulation

__all__ = ["HOLDING", "Order", "Piece", "Simulation", "StackReport"]


@dataclass(frozen=True, slots=True)
class StackReport:
    """The simulator's answer for one project.

    Attributes:
        simulation: Computed from the installed code; the time of a hop is measured.
        environment: Python, packages and databases of the project, in words.
    """

    simulation: Simulation
    environment: Mapping[str, str]

    def cost_ms(self, hops: int) -> float:
        """Return what so many hops take, estimated from the measured time of a warm one."""
        return hops * self.simulation.hop_us / 1000
