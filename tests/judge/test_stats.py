from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from freeloop.errors import FreeloopError
from freeloop.judge.stats import LOOKS, Looks, quantiles, ratio_interval, rounds_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

logs = st.lists(st.floats(-3, 3), min_size=5, max_size=40)

COMPARISONS = 1500
# Standard error of a share of 5 % among 1500 comparisons is 0.6 %.
TOLERANCE = 0.015


def noise(kind: str, spread: float, seed: int) -> NDArray[np.float64]:
    """Return log ratios of A/A comparisons, shape (comparisons, last look)."""
    source = np.random.default_rng(seed)
    shape = (COMPARISONS, LOOKS.last)
    if kind == "normal":
        return source.normal(0, spread, shape)
    if kind == "student t, 3 degrees":
        return source.standard_t(3, shape) * spread / math.sqrt(3)
    stalls = (source.random((2, *shape)) < 0.15) * source.exponential(3 * spread, (2, *shape))
    plain = source.normal(0, spread / 2, (2, *shape)) - stalls
    return np.asarray(plain[0] - plain[1])


@pytest.mark.parametrize("spread", [0.2, 0.6])
@pytest.mark.parametrize("kind", ["normal", "student t, 3 degrees", "stalls"])
def test_all_looks_together_risk_at_most_five_percent(kind: str, spread: float) -> None:
    """Stopping at the first interval without 1 must not find differences that are not there."""
    comparisons = noise(kind, spread, seed=7)

    wrong = 0
    for rounds in comparisons:
        seen = [ratio_interval(rounds[:n], level=LOOKS.level_at(n)) for n in LOOKS.at]
        wrong += any(interval.low > 1 or interval.high < 1 for interval in seen)

    assert wrong / COMPARISONS <= 0.05 + TOLERANCE


def test_five_looks_at_95_percent_would_not_be_paid_for() -> None:
    """The schedule earns its price: without it the same looks err far more often."""
    comparisons = noise("normal", 0.2, seed=7)

    wrong = 0
    for rounds in comparisons:
        seen = [ratio_interval(rounds[:n], level=0.95) for n in LOOKS.at]
        wrong += any(interval.low > 1 or interval.high < 1 for interval in seen)

    assert wrong / COMPARISONS > 0.10


def test_trimming_narrows_the_interval_when_one_round_is_an_outlier() -> None:
    """One stalled round in 20 must not cost the answer."""
    calm = [0.01 * math.sin(n) for n in range(20)]
    with_stall = [*calm[:-1], 3.0]

    trimmed = ratio_interval(with_stall, level=0.99)
    plain = scipy_stats.t.interval(
        0.99, 19, loc=np.mean(with_stall), scale=scipy_stats.sem(with_stall)
    )

    assert trimmed.high < 1.05
    assert math.exp(plain[1]) > 1.5


@given(
    # Thousandths: SciPy, the oracle, has no interval where all spread is below a float's square.
    st.lists(st.integers(-3000, 3000).map(lambda n: n / 1000), min_size=5, max_size=9).filter(
        lambda rounds: len(set(rounds)) > 2
    )
)
def test_below_ten_rounds_it_is_students_interval(rounds: list[float]) -> None:
    """SciPy is the oracle; cutting so few rounds would leave no degrees of freedom."""
    low, high = scipy_stats.t.interval(
        0.99, len(rounds) - 1, loc=np.mean(rounds), scale=scipy_stats.sem(rounds)
    )

    interval = ratio_interval(rounds, level=0.99)

    assert math.log(interval.low) == pytest.approx(low, abs=1e-6)
    assert math.log(interval.high) == pytest.approx(high, abs=1e-6)


@given(st.lists(st.floats(-3, 3), min_size=10, max_size=40))
def test_from_ten_rounds_on_the_ratio_is_the_trimmed_mean(rounds: list[float]) -> None:
    """SciPy is the oracle for what is kept."""
    interval = ratio_interval(rounds, level=0.99)

    kept = scipy_stats.trim_mean(rounds, proportiontocut=0.1)
    assert math.log(interval.ratio) == pytest.approx(kept, abs=1e-9)


@given(logs)
def test_swapping_the_sides_gives_the_reciprocal_interval(rounds: list[float]) -> None:
    """Which side is called A must not matter."""
    forth = ratio_interval(rounds, level=0.99)
    back = ratio_interval([-value for value in rounds], level=0.99)

    assert back.ratio == pytest.approx(1 / forth.ratio)
    assert back.low == pytest.approx(1 / forth.high)
    assert back.high == pytest.approx(1 / forth.low)


@given(logs, st.floats(-2, 2))
def test_a_side_that_is_faster_by_a_factor_moves_the_interval_by_it(
    rounds: list[float], shift: float
) -> None:
    """The unit of throughput cancels."""
    before = ratio_interval(rounds, level=0.99)
    after = ratio_interval([value + shift for value in rounds], level=0.99)

    assert after.low == pytest.approx(before.low * math.exp(shift))
    assert after.high == pytest.approx(before.high * math.exp(shift))


@given(logs, st.floats(0.5, 0.94), st.floats(0.95, 0.999))
def test_more_coverage_is_a_wider_interval(rounds: list[float], less: float, more: float) -> None:
    """A stricter look never decides what a laxer one leaves open."""
    narrow = ratio_interval(rounds, level=less)
    wide = ratio_interval(rounds, level=more)

    assert wide.low <= narrow.low <= narrow.ratio <= narrow.high <= wide.high


@settings(max_examples=50)
@given(logs.filter(lambda x: np.std(x) > 0.01), st.floats(0.01, 0.5))
def test_a_narrower_interval_never_needs_fewer_rounds(rounds: list[float], half: float) -> None:
    """The advice at the end grows with what is asked, and never names fewer than were taken."""
    some = rounds_for(rounds, half_width=half, level=0.99)
    more = rounds_for(rounds, half_width=half / 2, level=0.99)

    assert len(rounds) <= some <= more


def test_four_rounds_are_refused() -> None:
    """Below five rounds an interval is a guess."""
    with pytest.raises(FreeloopError) as caught:
        ratio_interval([0.0] * 4, level=0.99)

    assert caught.value.slug == "too-few-rounds"


def test_looks_are_at_their_rounds_and_never_before_the_fifth() -> None:
    """Only a look may be judged; after the last one there is nothing left to wait for."""
    assert [n for n in range(1, 22) if LOOKS.is_look(n)] == [5, 7, 10, 14, 20, 21]
    assert LOOKS.last == 20
    with pytest.raises(FreeloopError) as caught:
        LOOKS.level_at(6)
    assert caught.value.slug == "not-a-look"


@pytest.mark.parametrize(
    ("at", "level"), [((), 0.98), ((3, 5), 0.98), ((5, 5), 0.98), ((7, 5), 0.98), ((5,), 1.0)]
)
def test_a_schedule_that_cannot_hold_is_refused(at: tuple[int, ...], level: float) -> None:
    """A user's own schedule is checked where it is made."""
    with pytest.raises(FreeloopError) as caught:
        Looks(at=at, level=level)

    assert caught.value.slug == "bad-looks"


def test_quantiles_rank_pooled_latencies() -> None:
    """Percentiles of 0 to 100 are their own number."""
    pooled = quantiles([float(n) for n in range(101)])

    assert (pooled.p50, pooled.p90, pooled.p99) == (50, 90, 99)
    with pytest.raises(FreeloopError):
        quantiles([])
