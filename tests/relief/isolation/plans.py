"""Plans of storms: as hypothesis draws them, and as a seed makes them."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from tests.relief.isolation.storm import VISITORS

STEPS = (
    *("tick", "sleep", "hop", "slow hop", "other thread", "gather", "bridge", "override", "query"),
    *("commit", "roll back", "release", "session", "message", "read messages", "user"),
    *("error in thread",),
)
KINDS = ("sync", "async", "hybrid", "hooks")
VIEWS = ("steps", "steps", "bridge", "sync", "stream")
HOOKS = ("request", "view", "response")
# The default stack has eight here, so a place is in front of, between or behind them.
PLACES = 9
LONGEST_TICKS = 120


def _request(draw: Any) -> dict[str, Any]:
    steps = draw(st.lists(st.sampled_from(STEPS), max_size=6))
    if draw(st.integers(0, 9)) == 0:
        steps.append("raise")
    return {
        "visitor": draw(st.integers(0, VISITORS - 1)),
        "view": draw(st.sampled_from(VIEWS)),
        "method": draw(st.sampled_from(("GET", "GET", "POST"))),
        "steps": steps,
        "wait": draw(st.integers(0, 30)),
        "raise": draw(st.sampled_from((None, None, None, None, *HOOKS))),
        "fault": draw(
            st.one_of(
                st.none(),
                st.tuples(st.sampled_from(("cancel", "disconnect")), st.integers(0, LONGEST_TICKS)),
            )
        ),
    }


@st.composite
def plans(draw: Any) -> dict[str, Any]:
    """Draw a stack and the requests that meet on it."""
    return {
        "stack": draw(
            st.lists(
                st.tuples(st.integers(0, PLACES - 1), st.sampled_from(KINDS)),
                max_size=4,
                unique_by=lambda each: each[1],
            )
        ),
        "requests": [_request(draw) for _ in range(draw(st.integers(2, 12)))],
    }


def random_plan(chance: random.Random, size: int) -> dict[str, Any]:
    """Return a big storm; the same chance gives the same plan."""
    kinds = chance.sample(KINDS, chance.randint(0, len(KINDS)))
    return {
        "stack": [[chance.randrange(PLACES), kind] for kind in kinds],
        "requests": [random_request(chance) for _ in range(size)],
    }


def random_request(chance: random.Random) -> dict[str, Any]:
    """Return one request of a storm, disturbed in half of the cases."""
    steps = [chance.choice(STEPS) for _ in range(chance.randint(0, 6))]
    if chance.random() < 0.1:
        steps.append("raise")
    fault = None
    if chance.random() < 0.5:
        # Ticks are short where nothing waits, and many while threads work.
        ticks = int(chance.choice((10, 100, 1000)) * chance.random())
        fault = [chance.choice(("cancel", "disconnect")), ticks]
    return {
        "visitor": chance.randrange(VISITORS),
        "view": chance.choice(VIEWS),
        "method": chance.choice(("GET", "GET", "POST")),
        "steps": steps,
        "wait": chance.randint(0, 30),
        "raise": chance.choice(HOOKS) if chance.random() < 0.1 else None,
        "fault": fault,
    }
