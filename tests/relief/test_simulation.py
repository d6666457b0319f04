"""The middleware simulator: what it computes is counted, what it calls best is best of all."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from freeloop.relief.explanation import Charge, Mode
from freeloop.relief.simulation import Simulation
from tests.relief.explained.asking import Answered, Asking, asking
from tests.relief.explained.stacks import ASYNC, BOTH, OWN, SYNC, generated, short
from tests.relief.test_explain import DEFAULT

LOOKED_UP = "tests.relief.explained.urls."


@pytest.fixture(scope="module")
def ask() -> Iterator[Asking]:
    """One process for all questions of this module."""
    with asking() as ask:
        yield ask


def simulated(answered: Answered) -> Simulation:
    assert answered.simulated is not None
    return answered.simulated


def as_computed(traced: dict[str, Any]) -> Charge:
    """A trace's charge, with the view under the name it has before it is known."""
    names = ["the view" if name.startswith(LOOKED_UP) else name for name in traced["to_thread"]]
    return Charge(tuple(sorted(names)), tuple(sorted(traced["to_loop"])), threads=traced["threads"])


@pytest.mark.parametrize("stack", generated(), ids=short)
def test_twenty_stacks_cost_what_is_simulated(ask: Asking, stack: list[str]) -> None:
    """By the functions' names: simulated, counted by relief's probe, and marked by a trace."""
    answered = ask(stack, simulate=True)

    said = simulated(answered)
    assert answered.differences() == []
    for view, cost in {
        "/async/": said.current.async_view,
        "/sync/": said.current.sync_view,
    }.items():
        assert cost.stock is not None
        assert as_computed(answered.traced[view]) == Charge(
            tuple(sorted(cost.stock.to_thread)),
            tuple(sorted(cost.stock.to_loop)),
            cost.stock.threads,
        )
    assert said.current.held == answered.held


def test_the_stacks_are_of_every_kind() -> None:
    """Else the twenty would prove little."""
    every = Counter(path for stack in generated() for path in stack)

    assert all(every[path] for path in (*SYNC, *ASYNC, *BOTH))
    assert sum(path.startswith("django.") for path in every) >= 8
    assert len({tuple(stack) for stack in generated()}) == len(generated())
    assert any(set(SYNC) <= set(stack) for stack in generated())


@pytest.mark.parametrize(
    "stack",
    [
        [SYNC[0], BOTH[1], BOTH[2]],
        [BOTH[1], SYNC[0], ASYNC[0], BOTH[2]],
        [SYNC[0], ASYNC[0], SYNC[1], BOTH[1]],
        [BOTH[1], ASYNC[0], SYNC[1], BOTH[2]],
    ],
    ids=short,
)
def test_no_order_at_all_is_better_than_the_best(ask: Asking, stack: list[str]) -> None:
    """Every permutation is computed; that of the simulator has as few hops as the best one."""
    hops = []
    for order in itertools.permutations(stack):
        stock = ask(list(order)).explanation.async_view.stock
        assert stock is not None
        hops.append(stock.hops)

    best = simulated(ask(stack, simulate=True)).best

    assert best.async_view.stock is not None
    assert best.async_view.stock.hops == min(hops)


def test_a_sync_middleware_costs_least_below_the_others(ask: Asking) -> None:
    """Below all, it takes those above into its thread: five hops for seventeen; it is counted."""
    mine = f"{OWN}sync_function"

    said = simulated(ask([mine, *DEFAULT], simulate=True))

    assert said.sync_only == (mine,)
    assert said.current.async_view.stock is not None
    assert said.best.async_view.stock is not None
    assert (said.current.async_view.stock.hops, said.best.async_view.stock.hops) == (17, 5)
    assert said.best.middleware == (*DEFAULT, mine)
    assert said.best.moved == (mine,)
    counted = ask(list(said.best.middleware)).stock["/async/"]
    assert len(counted["to_thread"]) + len(counted["to_loop"]) == 5


def test_written_async_it_would_hold_no_thread_and_relief_would_leave_out_the_rest(
    ask: Asking,
) -> None:
    """What the order cannot mend: a sync middleware holds a thread wherever it stands."""
    said = simulated(ask([*DEFAULT, f"{OWN}sync_function"], simulate=True))

    assert (said.current.held, said.best.held, said.rewritten.held) == (1, 1, 0)
    assert said.rewritten.async_view.stock is not None
    assert said.rewritten.async_view.relieved is not None
    assert said.rewritten.async_view.stock.hops == 15
    assert said.rewritten.async_view.relieved.hops == 0


def test_without_a_sync_middleware_no_order_is_better(ask: Asking) -> None:
    said = simulated(ask(DEFAULT, simulate=True))

    assert said.best == said.current == said.rewritten
    assert (said.tried, said.untried, said.refused) == (1, 0, 0)
    assert not any(piece.mode is Mode.SYNC for piece in said.explanation.pieces)


def test_an_order_that_cannot_be_built_is_counted_and_passed_over(ask: Asking) -> None:
    """Some middleware want another one above them, and say so when they are made."""
    picky = f"{OWN}picky"

    said = simulated(ask([SYNC[0], BOTH[1], picky], simulate=True))

    assert said.refused > 0
    assert said.best.middleware.index(picky) > 0


def test_a_hop_is_timed(ask: Asking) -> None:
    """Of this machine, so no number is expected; it is no nanosecond and no second."""
    said = simulated(ask([], simulate=True))

    assert 1 < said.hop_us < 1_000_000
