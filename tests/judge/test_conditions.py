"""`--fail-if` reads answers and comparisons, and stays shut where nothing is known."""

from __future__ import annotations

import pytest

from freeloop.errors import FreeloopError
from freeloop.judge.conditions import parse_condition
from freeloop.model.plan import Question
from freeloop.model.run import PairResult
from freeloop.model.verdict import Answer, Basis, Interval, Verdict
from tests.judge.sides import a_round, a_side


def result(answer: Answer = Answer.HURTS, ratio: float | None = 0.8, rounds: int = 5) -> PairResult:
    """Return one pair whose candidate answers in 50, 60 and 70 ms."""
    side = a_side([a_round(100.0)] * rounds)
    effect = None if ratio is None else Interval(ratio, ratio * 0.9, ratio * 1.1, 0.987)
    verdict = Verdict(answer, effect, Basis.MEASURED, rounds=rounds)
    return PairResult("pair", Question.SERVE, 50, verdict, side, side)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("hurts", True),
        ("helps", False),
        ("no difference", False),
        ("p99 > 69ms", True),
        ("p99 > 0.3s", False),
        ("p50 >= 50", True),
        ("p90 < 60 ms", False),
        ("ratio < 0.9", True),
        ("cpu > 0.6ms", True),
        ("threads > 20", False),
        ("errors > 1%", False),
    ],
)
def test_conditions_speak_of_the_candidate(text: str, holds: bool) -> None:
    """The unit may be left out or be another one of the same kind."""
    assert parse_condition(text).holds(result()) is holds


@pytest.mark.parametrize("text", ["p99", "p77 > 1ms", "p99 > 1rps", "hurt", "ratio = 1", ""])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    """A gate that is misspelt must not stay open."""
    with pytest.raises(FreeloopError) as refused:
        parse_condition(text)

    assert refused.value.slug == "bad-condition"


def test_a_value_that_is_not_known_closes_the_gate() -> None:
    """No rounds and no ratio are no proof that all is well."""
    assert parse_condition("ratio < 0.9").holds(result(Answer.UNKNOWN, ratio=None))
    assert parse_condition("ttfb > 100ms").holds(result())
