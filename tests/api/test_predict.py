"""`freeloop.api.predict` on the sample project, against what bench measures there."""

from __future__ import annotations

import pytest

from freeloop import BenchOptions, bench
from freeloop.api import predict
from freeloop.model.plan import Pair, Plan, Question, Side
from freeloop.model.prediction import Bottleneck, LimitKind, Predicted, Prediction
from freeloop.model.run import PairResult
from freeloop.model.verdict import Answer, Basis
from tests.api.test_bench import CAFE, UVICORN, backing, get

pytestmark = [pytest.mark.real, pytest.mark.needs("linux"), pytest.mark.timeout(400)]

HIDDEN, MENDED = "/hidden/async/?ms=20", "/hidden/mended/async/?ms=20"

# Used as a fixture of this module too.
__all__ = ["backing"]


@pytest.fixture(scope="module")
def hidden(backing: None) -> Prediction:
    """A blocking call two calls deep, its mended twin, and two ways to mend it thought through."""
    return predict(
        HIDDEN, start=CAFE, concurrency=(50,), what_ifs=("awaited", "offloaded"), twin=MENDED
    )


@pytest.fixture(scope="module")
def measured(backing: None) -> PairResult:
    """The same two views, measured."""
    pair = Pair(
        "hidden",
        Question.REWRITE,
        Side(UVICORN, get(HIDDEN)),
        Side(UVICORN, get(MENDED)),
        concurrency=(50,),
    )
    run = bench(Plan(pairs=(pair,)), start=CAFE, options=BenchOptions(max_rounds=5))
    return run.pairs[0]


@pytest.fixture(scope="module")
def to_thread(backing: None) -> Prediction:
    """A wait in `asyncio.to_thread`."""
    return predict("/wait/to-thread/async/?ms=50", start=CAFE, concurrency=(50, 200))


def named(prediction: Prediction, name: str) -> Predicted:
    return next(each for each in prediction.deployments if each.name == name)


def test_a_blocked_loop_is_predicted_as_it_is_measured(
    hidden: Prediction, measured: PairResult
) -> None:
    """One at a time, whatever comes: the structure decides, not the cost."""
    forecast = named(hidden, "uvicorn").at(50)

    assert forecast.bottleneck is Bottleneck.LOOP
    assert forecast.rate_rps == pytest.approx(measured.a.quiet_rps, rel=0.35)


def test_the_verdict_on_the_rewrite_is_the_one_that_bench_gives(
    hidden: Prediction, measured: PairResult
) -> None:
    (rewrite,) = [each for each in hidden.verdicts if each.question is Question.REWRITE]

    assert rewrite.verdict.answer is measured.verdict.answer is Answer.HELPS
    assert rewrite.verdict.basis is Basis.PREDICTED
    assert measured.verdict.basis is not Basis.PREDICTED


def test_the_call_awaited_in_thought_frees_the_loop(
    hidden: Prediction, measured: PairResult
) -> None:
    """As the mended view does; benchmarks/prediction.py measures how near the number comes."""
    awaited = next(each for each in hidden.what_ifs if each.asked == "awaited").after
    blocked_rps = named(hidden, "uvicorn").at(50).rate_rps

    assert awaited is not None
    assert blocked_rps is not None
    rate_rps = awaited.at(50).rate_rps
    assert rate_rps is not None
    assert rate_rps > 2 * blocked_rps
    assert measured.b.quiet_rps > 2 * measured.a.quiet_rps


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


def test_the_threads_of_the_executor_are_found_in_the_trace(to_thread: Prediction) -> None:
    """A hidden limit below that of any server: a few threads more than cores."""
    uvicorn = named(to_thread, "uvicorn")
    (limit,) = uvicorn.network.limits

    assert limit.kind is LimitKind.EXECUTOR
    assert uvicorn.at(200).bottleneck is Bottleneck.EXECUTOR
    assert uvicorn.at(200).rate_rps == pytest.approx(1000 * limit.slots / 50, rel=0.15)


def test_the_burst_at_32_agrees_with_what_the_limit_allows(to_thread: Prediction) -> None:
    """The limit comes from the trace, the rate from a real load: they were not fitted."""
    uvicorn = named(to_thread, "uvicorn")

    assert uvicorn.measured[2].rate_rps == pytest.approx(uvicorn.at(50).rate_rps, rel=0.3)
