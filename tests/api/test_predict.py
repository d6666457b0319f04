"""`freeloop.api.predict` on the sample project: what a trace and bursts tell of other loads."""

from __future__ import annotations

import pytest

from freeloop.api import predict
from freeloop.model.plan import Question
from freeloop.model.prediction import Bottleneck, LimitKind, Predicted, Prediction
from freeloop.model.verdict import Answer, Basis
from tests.api.test_bench import CAFE, backing

pytestmark = [
    pytest.mark.real,
    pytest.mark.alone,
    pytest.mark.needs("linux"),
    pytest.mark.timeout(400),
]

HIDDEN, MENDED = "/hidden/async/?ms=20", "/hidden/mended/async/?ms=20"

# Used as a fixture of this module too.
__all__ = ["backing"]


@pytest.fixture(scope="module")
def hidden(backing: None) -> Prediction:
    """A blocking call two calls deep, its mended twin, and two ways to mend it thought through."""
    return predict(
        HIDDEN, start=CAFE, concurrency=(50,), what_ifs=("awaited", "offloaded"), twin=MENDED
    )


def named(prediction: Prediction, name: str) -> Predicted:
    return next(each for each in prediction.deployments if each.name == name)


def test_a_blocked_loop_is_predicted_as_the_burst_measures_it(hidden: Prediction) -> None:
    """One at a time, whatever comes: the structure decides, not the cost."""
    uvicorn = named(hidden, "uvicorn")

    assert uvicorn.at(50).bottleneck is Bottleneck.LOOP
    assert uvicorn.at(50).rate_rps == pytest.approx(uvicorn.measured[2].rate_rps, rel=0.35)


def test_the_verdict_on_the_rewrite_says_that_it_is_predicted(hidden: Prediction) -> None:
    (rewrite,) = [each for each in hidden.verdicts if each.question is Question.REWRITE]

    assert rewrite.verdict.answer is Answer.HELPS
    assert rewrite.verdict.basis is Basis.PREDICTED


def test_the_call_awaited_in_thought_frees_the_loop_as_the_mended_view_does(
    hidden: Prediction,
) -> None:
    """How near the number comes is for benchmarks/prediction.py to measure."""
    awaited = next(each for each in hidden.what_ifs if each.asked == "awaited").after
    blocked = named(hidden, "uvicorn").at(50)

    assert awaited is not None
    for mended in (awaited, named(hidden, f"uvicorn, {MENDED}")):
        assert (mended.at(50).rate_rps or 0) > 2 * (blocked.rate_rps or 0) > 0


def test_the_call_offloaded_in_thought_meets_the_executor(hidden: Prediction) -> None:
    offloaded = next(each for each in hidden.what_ifs if each.asked == "offloaded").after

    assert offloaded is not None
    assert [each.kind for each in offloaded.network.limits] == [LimitKind.EXECUTOR]


def test_every_deployment_is_predicted_from_the_bursts_that_hold_for_it(
    hidden: Prediction,
) -> None:
    """Threads are measured as 32: a burst of 32 says nothing about twenty of them."""
    assert [each.name for each in hidden.deployments] == [
        "gunicorn:gthread, 20 threads",
        "gunicorn:gthread, 50 threads",
        "uvicorn",
        "uvicorn with relief",
        f"uvicorn, {MENDED}",
    ]
    for each in hidden.deployments:
        taken = [1, 8] if each.name.endswith("20 threads") else [1, 8, 32]
        assert [burst.concurrency for burst in each.measured] == taken
        assert each.curve[-1].concurrency == 50
