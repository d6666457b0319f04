"""What a stack of middleware costs in other orders: the values that `simulate` returns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from freeloop.relief.explanation import Cost, Explanation, Mode, Piece

# How Django runs a middleware that keeps a thread until the answer.
HOLDING = frozenset({Mode.SYNC, Mode.INSIDE})


@dataclass(frozen=True, slots=True)
class Order:
    """One order of the middleware; all computed.

    Attributes:
        middleware: From the outside in.
        moved: Those that stand elsewhere than in settings, or are missing.
        async_view: Hops and threads of a whole request that an async view answers.
        sync_view: The same for a sync view.
        held: Threads that wait with the request while an async view awaits something.
    """

    middleware: tuple[str, ...]
    moved: tuple[str, ...]
    async_view: Cost
    sync_view: Cost
    held: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """The stack of one project, layer by layer, and what other orders of it would cost.

    Attributes:
        explanation: The stack as it is.
        sync_only: Middleware that takes no async chain; without one no order is better.
        current: The order in settings.
        best: The order with the fewest hops as Django is installed; the current one if none is.
        best_relieved: The same with relief.
        rewritten: As if those of `sync_only` were async, without a hop of their own.
        tried: Orders that were computed.
        untried: Orders that time did not allow.
        refused: Orders in which the middleware could not be built.
        hop_us: Measured on this machine, the median of warm hops to a thread and back.
    """

    explanation: Explanation
    sync_only: tuple[str, ...]
    current: Order
    best: Order
    best_relieved: Order
    rewritten: Order
    tried: int
    untried: int
    refused: int
    hop_us: float


def held_threads(pieces: Iterable[Piece]) -> int:
    """Return how many threads wait while an async view awaits something.

    One at the most: what a sync middleware calls below runs in its own thread, however often the
    chain changes sides.
    """
    return int(any(piece.mode in HOLDING for piece in pieces))
