from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freeloop.judge.stats import LOOKS, Looks
from freeloop.judge.verdict import answer_of, decide, judge, log_ratios
from freeloop.model.plan import Question
from freeloop.model.verdict import Answer, Basis, Cause, Interval
from tests.judge.sides import NOTHING_SEEN, a_round, a_side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freeloop.model.run import SideResult

MIRRORED = {
    Answer.HELPS: Answer.HURTS,
    Answer.HURTS: Answer.HELPS,
    Answer.NO_DIFFERENCE: Answer.NO_DIFFERENCE,
    Answer.UNKNOWN: Answer.UNKNOWN,
}

noises = st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=22)


def waiting(rates: Sequence[float]) -> SideResult:
    """Return a side that waits: its measured rates stand."""
    return a_side([a_round(rate, cpu_ms=0.1) for rate in rates])


def pair(ratio: float, noise: Sequence[float]) -> tuple[SideResult, SideResult]:
    """Return two sides whose rounds have this ratio and this noise of the log ratio."""
    return waiting([200] * len(noise)), waiting([200 * ratio * math.exp(n) for n in noise])


def wobble(rounds: int, spread: float = 0.02) -> list[float]:
    """Return small noise around 0 that never repeats."""
    return [spread * math.sin(7 * n) for n in range(rounds)]


@pytest.mark.parametrize(
    ("ratio", "answer"),
    [
        (4.0, Answer.HELPS),
        (1.3, Answer.HELPS),
        (1.0, Answer.NO_DIFFERENCE),
        (1.05, Answer.NO_DIFFERENCE),
        (0.75, Answer.HURTS),
        (0.1, Answer.HURTS),
    ],
)
def test_calm_rounds_are_decided_at_the_first_look(ratio: float, answer: Answer) -> None:
    """Five rounds a side suffice where the noise is small; nobody waits for twenty."""
    verdict = decide(*pair(ratio, wobble(5)), cores=1)

    assert verdict is not None
    assert verdict.answer is answer
    assert verdict.rounds == 5
    assert verdict.effect is not None
    assert verdict.effect.low < ratio < verdict.effect.high
    assert verdict.effect.level == LOOKS.level


@pytest.mark.parametrize("rounds", [0, 1, 2, 3, 4, 6, 8, 11, 19])
def test_between_two_looks_more_rounds_are_asked_for(rounds: int) -> None:
    """A look that the schedule has not paid for is not taken, however clear the data."""
    assert decide(*pair(4.0, wobble(rounds)), cores=1) is None


def test_noise_that_hides_the_ratio_asks_for_more_rounds_and_ends_as_unknown() -> None:
    """Undecidable is an honest end, with the number of rounds that would do."""
    a, b = pair(1.1, wobble(20, spread=0.8))

    early = decide(
        replace(a, closed=replace(a.closed, rounds=a.closed.rounds[:10])),
        replace(b, closed=replace(b.closed, rounds=b.closed.rounds[:10])),
        cores=1,
    )
    last = decide(a, b, cores=1)

    assert early is None
    assert last is not None
    assert last.answer is Answer.UNKNOWN
    assert last.effect is not None
    assert last.missing.startswith("not decidable on this machine")
    assert "more rounds per side" in last.missing or "more than 1000" in last.missing


@settings(max_examples=150)
@given(noises, st.floats(0.3, 3))
def test_swapping_the_sides_mirrors_the_verdict(noise: list[float], ratio: float) -> None:
    """A against B and B against A are one measurement."""
    a, b = pair(ratio, noise)

    forth, back = decide(a, b, cores=1), decide(b, a, cores=1)

    if forth is None or back is None:
        assert forth is back
        return
    assert back.answer is MIRRORED[forth.answer]
    assert forth.effect is not None
    assert back.effect is not None
    assert back.effect.ratio == pytest.approx(1 / forth.effect.ratio)


@given(st.lists(st.floats(-0.1, 0.1), min_size=5, max_size=5), st.floats(0.01, 2))
def test_a_faster_candidate_is_never_judged_worse(noise: list[float], gain: float) -> None:
    """The answer only climbs when B climbs: hurts, undecided, no difference, undecided, helps."""

    def effect(ratio: float) -> Interval:
        verdict = decide(*pair(ratio, noise), cores=1, looks=Looks(at=(5,), level=0.95))
        assert verdict is not None
        assert verdict.effect is not None
        return verdict.effect

    order = [Answer.HURTS, Answer.NO_DIFFERENCE, Answer.HELPS]
    before, after = answer_of(effect(0.9)), answer_of(effect(0.9 * math.exp(gain)))

    if Answer.UNKNOWN not in (before, after):
        assert order.index(after) >= order.index(before)


@pytest.mark.parametrize(
    ("low", "high", "answer"),
    [
        (1.11, 3.0, Answer.HELPS),
        (1.11, 1.14, Answer.HELPS),
        (1.09, 3.0, Answer.UNKNOWN),
        (0.88, 1.14, Answer.NO_DIFFERENCE),
        (1.02, 1.14, Answer.NO_DIFFERENCE),
        (0.88, 1.16, Answer.UNKNOWN),
        (0.86, 1.14, Answer.UNKNOWN),
        (0.4, 0.9, Answer.HURTS),
        (0.4, 0.92, Answer.UNKNOWN),
    ],
)
def test_the_borders_are_ten_and_fifteen_percent(low: float, high: float, answer: Answer) -> None:
    """An interval that reaches over a border says nothing yet."""
    assert answer_of(Interval(ratio=math.sqrt(low * high), low=low, high=high, level=0.95)) is (
        answer
    )


@pytest.mark.parametrize("worse", ["A", "B"])
def test_more_than_one_percent_of_failures_is_refused_by_name(worse: str) -> None:
    """An answer that comes fast because it is wrong must not win."""
    sides = dict(zip("AB", pair(4.0, wobble(5)), strict=True))
    side = sides[worse]
    failing = tuple(replace(each, failed=11) for each in side.closed.rounds)
    sides[worse] = replace(
        side, closed=replace(side.closed, rounds=failing), failures={"status 500": 55}
    )

    verdict = decide(sides["A"], sides["B"], cores=1)

    assert verdict is not None
    assert verdict.answer is Answer.UNKNOWN
    assert verdict.effect is None
    assert f"side {worse} failed 55 of" in verdict.missing
    assert "status 500" in verdict.missing


def test_one_percent_of_failures_is_allowed() -> None:
    """The border itself: 10 of 1010 requests are below 1 %."""
    a, b = pair(4.0, wobble(5))
    failing = tuple(replace(each, failed=10) for each in b.closed.rounds)

    verdict = decide(a, replace(b, closed=replace(b.closed, rounds=failing)), cores=1)

    assert verdict is not None
    assert verdict.answer is Answer.HELPS


def test_a_side_without_any_answer_is_refused_before_the_first_look() -> None:
    """Where every request times out, five rounds would cost minutes and tell nothing new."""
    a = waiting([200, 200])
    b = replace(waiting([0, 0]), failures={"timed out": 40})

    verdict = decide(a, b, cores=1)

    assert verdict is not None
    assert verdict.answer is Answer.UNKNOWN
    assert verdict.rounds == 2
    assert "side B completed nothing" in verdict.missing
    assert "timed out" in verdict.missing


def test_one_empty_round_is_refused_because_rounds_are_too_short() -> None:
    """A round shorter than a response has no rate; leaving it out would favour the slow side."""
    verdict = decide(waiting([3] * 5), waiting([3, 3, 0, 3, 3]), cores=1)

    assert verdict is not None
    assert verdict.answer is Answer.UNKNOWN
    assert "side B completed nothing in 1 of 5 rounds" in verdict.missing
    assert "longer" in verdict.missing


def test_a_server_that_hardly_got_its_core_is_not_judged() -> None:
    """Ready all the time, running 5 % of it: such rounds describe the neighbours."""
    a = a_side([a_round(50 + n, cpu_ms=1, busy=0.99) for n in range(5)], unloaded_ms=2)

    verdict = decide(a, a, cores=1)

    assert verdict is not None
    assert verdict.answer is Answer.UNKNOWN
    assert "a quieter machine" in verdict.missing


def test_an_effect_that_rests_on_measured_rates_says_measured() -> None:
    """The word beside the number is part of the number."""
    verdict = decide(*pair(4.0, wobble(5)), cores=1)

    assert verdict is not None
    assert verdict.basis is Basis.MEASURED


def test_equal_cost_under_contention_is_no_difference_and_says_estimated() -> None:
    """Threads got twice the core of the loop; raw throughput would say that the loop hurts."""
    threads = a_side(
        [a_round(600 + n, cpu_ms=1, busy=1.0) for n in range(5)],
        server="gunicorn:gthread",
        unloaded_ms=2,
        thread_limit=50,
    )
    loop = a_side([a_round(300 + n, cpu_ms=1, busy=1.0) for n in range(5)], unloaded_ms=2)

    verdict = decide(threads, loop, cores=1)

    assert verdict is not None
    assert verdict.answer is Answer.NO_DIFFERENCE
    assert verdict.basis is Basis.ESTIMATED


def test_rounds_after_the_last_look_change_nothing() -> None:
    """A run with more rounds than paid for is judged by those that were paid for."""
    calm, wild = wobble(20, spread=0.4), [5.0] * 10

    assert decide(*pair(1.05, calm + wild), cores=1) == decide(*pair(1.05, calm), cores=1)


def test_an_unpaired_round_is_not_used() -> None:
    """After an interrupt one side may be a round ahead."""
    a, b = pair(4.0, wobble(6))
    behind = replace(b, closed=replace(b.closed, rounds=b.closed.rounds[:5]))

    verdict = decide(a, behind, cores=1)

    assert verdict is not None
    assert verdict.rounds == 5


def test_log_ratios_are_those_of_adjacent_rounds() -> None:
    """Pairing by index takes the drift of the machine out of the ratio."""
    drift = [100.0, 300.0, 50.0, 400.0, 120.0]

    ratios = log_ratios(waiting(drift), waiting([2 * rate for rate in drift]), cores=1)

    assert ratios == pytest.approx([math.log(2)] * 5)


def test_a_run_that_ended_early_is_judged_as_unknown_with_the_reason() -> None:
    """An interrupt keeps what was finished, and no verdict is made of too little."""
    verdict = judge(Question.REWRITE, *pair(4.0, wobble(3)), cores=1)

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.missing == "ended after 3 rounds per side; the next look is at 5"


def test_the_final_verdict_carries_its_cause() -> None:
    """Four threads against a loop, a wait of 50 ms: the threads are what limits."""
    rounds = [a_round(74 + n / 10, cpu_ms=0.9) for n in range(5)]
    threads = a_side(rounds, server="gunicorn:gthread", thread_limit=4, observed=NOTHING_SEEN)
    loop = waiting([600.0 + n for n in range(5)])

    verdict = judge(Question.SERVE, threads, loop, cores=1)

    assert verdict.answer is Answer.HELPS
    assert verdict.cause is Cause.THREAD_CAP
    assert verdict.evidence
    assert not verdict.missing
