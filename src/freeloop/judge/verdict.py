"""From the rounds of two sides to an answer, or to the wish for more rounds."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from freeloop.judge.capacity import busy_of_usable, quiet_rps
from freeloop.judge.cause import cause_of
from freeloop.judge.limit import BUSY
from freeloop.judge.stats import LOOKS, Looks, ratio_interval, rounds_for
from freeloop.model.verdict import Answer, Basis, Interval, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freeloop.model.plan import Question
    from freeloop.model.run import Round, SideResult

DIFFERENT = math.log(1.10)
SAME = math.log(1.15)
MOST_FAILED = 0.01
LEAST_CORE_SHARE = 0.10
UNCORRECTED = 1.02
ROUNDS_WORTH_NAMING = 1000


def decide(a: SideResult, b: SideResult, *, cores: int, looks: Looks = LOOKS) -> Verdict | None:
    """Return the answer that the rounds so far allow, without a cause; None asks for more.

    Rounds are paired by index: round i of A ran next to round i of B. The effect is the ratio
    of quiet-core throughput. B helps when the whole interval is above 1.10, hurts when it is
    below 1 / 1.10, and there is no difference when it lies inside 1 / 1.15 to 1.15.

    Args:
        a: Baseline, with its closed rounds so far.
        b: Candidate, the same.
        cores: Cores that the servers may use.
        looks: When the rounds may be judged. Rounds after the last look are not used.
    """
    rounds = min(len(a.closed.rounds), len(b.closed.rounds), looks.last)
    refusal = _hopeless(a, b, rounds)
    if refusal is None and looks.is_look(rounds):
        refusal = _refusal(a, b, rounds, cores=cores)
    if refusal is not None:
        return _unknown(refusal, rounds=rounds)
    if not looks.is_look(rounds):
        return None
    level = looks.level_at(rounds)
    ratios = log_ratios(a, b, cores=cores)[:rounds]
    effect = ratio_interval(ratios, level=level)
    basis = _basis(a, b, rounds, cores=cores)
    answer = answer_of(effect)
    if answer is not Answer.UNKNOWN:
        return Verdict(answer=answer, effect=effect, basis=basis, rounds=rounds)
    if rounds < looks.last:
        return None
    missing = f"not decidable on this machine: {_more_rounds(ratios, level=level)}"
    return replace(_unknown(missing, rounds=rounds), effect=effect, basis=basis)


def judge(
    question: Question, a: SideResult, b: SideResult, *, cores: int, looks: Looks = LOOKS
) -> Verdict:
    """Return the final verdict with its cause, also for a run that ended early.

    A pure function of what was measured: a saved run is judged again to the same verdict.

    Args:
        question: What the pair asks; a cause may hold for one question only.
        a: Baseline, complete with the agent's report where there is one.
        b: Candidate, the same.
        cores: Cores that the servers could use.
        looks: The schedule of the run.
    """
    verdict = decide(a, b, cores=cores, looks=looks)
    if verdict is None:
        rounds = min(len(a.closed.rounds), len(b.closed.rounds))
        coming = next(look for look in looks.at if look > rounds)
        missing = f"ended after {rounds} rounds per side; the next look is at {coming}"
        return _unknown(missing, rounds=rounds)
    if verdict.answer is Answer.UNKNOWN:
        return verdict
    found = cause_of(question, verdict.answer, a, b, cores=cores)
    return replace(verdict, cause=found.cause, evidence=found.evidence, missing=found.missing)


def answer_of(effect: Interval) -> Answer:
    """Return what an interval says; UNKNOWN when it reaches over a border."""
    low, high = math.log(effect.low), math.log(effect.high)
    if low > DIFFERENT:
        return Answer.HELPS
    if high < -DIFFERENT:
        return Answer.HURTS
    if low > -SAME and high < SAME:
        return Answer.NO_DIFFERENCE
    return Answer.UNKNOWN


def log_ratios(a: SideResult, b: SideResult, *, cores: int) -> list[float]:
    """Return log(B / A) of quiet-core throughput, one for each pair of adjacent rounds.

    Pairs in which a side completed nothing have no ratio and are left out.
    """
    rates = zip(_quiet(a, cores=cores), _quiet(b, cores=cores), strict=False)
    return [math.log(rate_b / rate_a) for rate_a, rate_b in rates if rate_a > 0 and rate_b > 0]


def _quiet(side: SideResult, *, cores: int) -> list[float]:
    return [
        quiet_rps(
            each,
            unloaded_ms=side.unloaded_ms,
            concurrency=side.closed.concurrency,
            thread_limit=side.thread_limit,
            cores=cores,
            workers=side.arm.workers,
        )
        for each in side.closed.rounds
    ]


def _hopeless(a: SideResult, b: SideResult, rounds: int) -> str | None:
    """Return why no number of further rounds can help; None when they may.

    Judged before the first look, because a side whose requests all time out takes minutes to
    reach it.
    """
    for name, side in (("A", a), ("B", b)):
        done = side.closed.rounds[:rounds]
        if rounds >= 2 and not any(each.completed for each in done):
            return (
                f"side {name} completed nothing in {rounds} rounds{_reasons(side)}: "
                f"mend its request or its server"
            )
    return None


def _refusal(a: SideResult, b: SideResult, rounds: int, *, cores: int) -> str | None:
    for name, side in (("A", a), ("B", b)):
        done = side.closed.rounds[:rounds]
        completed = sum(each.completed for each in done)
        failed = sum(each.failed for each in done)
        if failed > MOST_FAILED * (completed + failed):
            share = 100 * failed / (completed + failed)
            return (
                f"side {name} failed {failed} of {completed + failed} requests "
                f"({share:.2g} %, at most 1 % may fail){_reasons(side)}"
            )
        empty = sum(1 for each in done if not each.completed)
        if empty:
            return (
                f"side {name} completed nothing in {empty} of {rounds} rounds: "
                f"take rounds longer than its response time"
            )
        workers = side.arm.workers
        busy = median(busy_of_usable(each, cores=cores, workers=workers) for each in done)
        got = median(_core_share(each, cores=cores, workers=workers) for each in done)
        if busy >= BUSY and got < LEAST_CORE_SHARE:
            return (
                f"a quieter machine: side {name} got {100 * got:.0f} % of the core time "
                f"that it was ready to use (measured)"
            )
    return None


def _core_share(each: Round, *, cores: int, workers: int) -> float:
    used = each.throughput_rps * each.cpu_ms / 1000 / min(cores, workers)
    return used / max(used, busy_of_usable(each, cores=cores, workers=workers))


def _basis(a: SideResult, b: SideResult, rounds: int, *, cores: int) -> Basis:
    """Return MEASURED when the quiet-core rates are the measured ones, else ESTIMATED."""
    for side in (a, b):
        pairs = zip(_quiet(side, cores=cores), side.closed.rounds[:rounds], strict=False)
        if median(quiet / each.throughput_rps for quiet, each in pairs) > UNCORRECTED:
            return Basis.ESTIMATED
    return Basis.MEASURED


def _more_rounds(ratios: Sequence[float], *, level: float) -> str:
    """Return how many more rounds this noise needs, as a clause."""
    size = abs(math.log(ratio_interval(ratios, level=level).ratio))
    room = max(size - DIFFERENT, SAME - size)
    needed = rounds_for(ratios, half_width=room, level=level)
    if needed > ROUNDS_WORTH_NAMING:
        return f"more than {ROUNDS_WORTH_NAMING} rounds per side at the noise seen (estimated)"
    more = max(1, needed - len(ratios))
    return f"about {more} more rounds per side at the noise seen (estimated)"


def _reasons(side: SideResult) -> str:
    if not side.failures:
        return ""
    reason, count = max(side.failures.items(), key=lambda item: item[1])
    return f", most often {reason} ({count})"


def _unknown(missing: str, *, rounds: int) -> Verdict:
    return Verdict(
        answer=Answer.UNKNOWN, effect=None, basis=Basis.MEASURED, missing=missing, rounds=rounds
    )
