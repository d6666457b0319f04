"""What the project's middleware would cost in other orders, each built as Django builds it.

There is no second model: `explain` computes every order, from a chain that Django's own code made.
For a process that serves nobody: the setting is another one while an order is built.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter, perf_counter_ns

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.utils.module_loading import import_string

from freeloop.relief.explainer import explain
from freeloop.relief.explanation import Charge, Cost, Explanation, Kind, Mode
from freeloop.relief.simulation import Order, Simulation, held_threads

# A middleware may do much when it is made, such as looking through all static files.
MOST_S = 2.0
WARM_HOPS, HOPS = 10, 60


def simulate(most_s: float = MOST_S) -> Simulation:
    """Return the cost of the configured stack, of each layer, and of the orders that cost less.

    Args:
        most_s: Time for other orders; what is left then is counted as untried.

    Raises:
        ImproperlyConfigured: If the settings are not there; and what the project's middleware
            raises when it is built in its own order.
    """
    said = explain()
    stack = tuple(settings.MIDDLEWARE)
    sync_only = tuple(
        piece.name
        for piece in said.pieces
        if piece.kind is Kind.MIDDLEWARE and piece.mode is Mode.SYNC
    )
    current = _order(stack, stack, said)
    found, untried, refused = [current], 0, 0
    end = perf_counter() + most_s
    candidates = list(orders(stack, sync_only, _async_only(stack)))
    for number, candidate in enumerate(candidates):
        if perf_counter() > end:
            untried = len(candidates) - number
            break
        try:
            found.append(_order(candidate, stack, explain_stack(candidate)))
        except Exception:  # whatever a middleware raises that wants another one above it
            refused += 1
    without = tuple(path for path in stack if path not in sync_only)
    return Simulation(
        explanation=said,
        sync_only=sync_only,
        current=current,
        best=min(found, key=lambda order: _weight(order, lambda cost: cost.stock)),
        best_relieved=min(found, key=lambda order: _weight(order, lambda cost: cost.relieved)),
        rewritten=_order(without, stack, explain_stack(without) if sync_only else said),
        tried=len(found),
        untried=untried,
        refused=refused,
        hop_us=hop_us(),
    )


def orders(
    stack: Sequence[str], sync_only: Sequence[str], async_only: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """Yield the orders worth a look: the sync-only layers side by side, at each place there is.

    What stands outside of one shares its thread, up to something async-only: so those are tried
    where they are and outermost. The others keep their order, which makes no difference to Django.
    """
    if not sync_only:
        return
    others = [path for path in stack if path not in sync_only]
    outside = [*async_only, *(path for path in others if path not in async_only)]
    seen = {tuple(stack)}
    for rest in (others, outside):
        for place in range(len(rest), -1, -1):
            candidate = (*rest[:place], *sync_only, *rest[place:])
            if candidate not in seen:
                seen.add(candidate)
                yield candidate


def explain_stack(middleware: Sequence[str]) -> Explanation:
    """Return what `explain` says if settings.MIDDLEWARE were this."""
    with _as_if(middleware):
        return explain()


def hop_us() -> float:
    """Return the median time of a hop to a thread that is there already, and back."""

    async def measured() -> list[int]:
        hop = sync_to_async(_nothing)
        took = []
        async with ThreadSensitiveContext():
            for _ in range(WARM_HOPS + HOPS):
                began = perf_counter_ns()
                await hop()
                took.append(perf_counter_ns() - began)
        return took[WARM_HOPS:]

    return statistics.median(asyncio.run(measured())) / 1000


def _async_only(stack: Sequence[str]) -> tuple[str, ...]:
    return tuple(path for path in stack if not getattr(import_string(path), "sync_capable", True))


def _order(middleware: Sequence[str], stack: Sequence[str], said: Explanation) -> Order:
    return Order(
        middleware=tuple(middleware),
        moved=_moved(middleware, stack),
        async_view=said.async_view,
        sync_view=said.sync_view,
        held=held_threads(said.pieces),
    )


def _moved(middleware: Sequence[str], stack: Sequence[str]) -> tuple[str, ...]:
    """Return the layers of a stack that others now stand on another side of, the fewest that do."""
    if tuple(middleware) == tuple(stack):
        return ()
    place = {path: number for number, path in enumerate(middleware)}
    kept = _longest_rising([place.get(path, -1) for path in stack])
    return tuple(path for number, path in enumerate(stack) if number not in kept)


def _longest_rising(numbers: Sequence[int]) -> frozenset[int]:
    """Return the indices of a longest rising run of numbers, gaps allowed; negative ones never."""
    best: list[tuple[int, ...]] = []
    for index, number in enumerate(numbers):
        if number < 0:
            best.append(())
            continue
        before = [run for run in best if run and numbers[run[-1]] < number]
        best.append((*_longest(before), index))
    return frozenset(_longest(best))


def _longest(runs: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return max(runs, key=lambda run: len(run), default=())


def _weight(order: Order, side: Callable[[Cost], Charge | None]) -> tuple[float, int, int]:
    """Return a key: fewest hops, then fewest threads, then the least that moves."""
    charge = side(order.async_view)
    if charge is None:
        return (float("inf"), 0, len(order.moved))
    return (charge.hops, charge.threads, len(order.moved))


@contextlib.contextmanager
def _as_if(middleware: Sequence[str]) -> Iterator[None]:
    stock = settings.MIDDLEWARE
    settings.MIDDLEWARE = list(middleware)
    try:
        yield
    finally:
        settings.MIDDLEWARE = stock


def _nothing() -> None:
    return None
