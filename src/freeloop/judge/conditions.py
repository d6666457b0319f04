"""Conditions of `--fail-if`: "hurts", "p99 > 300ms", "ratio < 0.9"."""

from __future__ import annotations

import difflib
import operator
import re
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from freeloop.errors import FreeloopError
from freeloop.model.run import PairResult, Round, SideResult
from freeloop.model.verdict import Answer

_FORM = re.compile(
    r"(?P<metric>[a-z0-9_]+)\s*(?P<sign><=|>=|<|>)\s*(?P<value>[0-9.]+)\s*(?P<unit>[a-z%/]*)"
)
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ANSWERS = {answer.value: answer for answer in Answer}


def _tail_rounds(side: SideResult) -> tuple[Round, ...]:
    """Return the rounds whose latencies count: the open model's where there are some."""
    return side.open.rounds if side.open is not None and side.open.rounds else side.closed.rounds


def _latency(name: str) -> Callable[[SideResult], float | None]:
    def median_ms(side: SideResult) -> float | None:
        rounds = [round_ for round_ in _tail_rounds(side) if round_.completed]
        if not rounds:
            return None
        return statistics.median(float(getattr(round_.latency, name)) for round_ in rounds)

    return median_ms


def _first_byte(side: SideResult) -> float | None:
    known = [round_.first_byte.p50 for round_ in _tail_rounds(side) if round_.first_byte]
    return statistics.median(known) if known else None


def _failed_percent(side: SideResult) -> float | None:
    failed = sum(round_.failed for round_ in side.closed.rounds)
    asked = failed + sum(round_.completed for round_ in side.closed.rounds)
    return 100 * failed / asked if asked else None


_METRICS: dict[str, tuple[str, Callable[[SideResult], float | None]]] = {
    "p50": ("ms", _latency("p50")),
    "p90": ("ms", _latency("p90")),
    "p99": ("ms", _latency("p99")),
    "ttfb": ("ms", _first_byte),
    "cpu": ("ms", lambda side: statistics.median(r.cpu_ms for r in side.closed.rounds)),
    "threads": ("", lambda side: float(max(r.threads for r in side.closed.rounds))),
    "throughput": ("/s", lambda side: side.quiet_rps),
    "errors": ("%", _failed_percent),
}
_IN_BASE_UNIT = {"ms": {"": 1.0, "ms": 1.0, "s": 1000.0}, "": {"": 1.0}, "%": {"": 1.0, "%": 1.0}}
_IN_BASE_UNIT["/s"] = {"": 1.0, "/s": 1.0}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, about the candidate (side B) of every pair.

    Attributes:
        text: As the user wrote it.
        holds: Whether it is true of a result; a value that is not known makes it true, because
            a gate that cannot see must not open.
    """

    text: str
    holds: Callable[[PairResult], bool]


def parse_condition(text: str) -> Condition:
    """Read one `--fail-if` value.

    Raises:
        FreeloopError: "bad-condition" when it is neither an answer nor a comparison.
    """
    plain = text.strip().lower().replace("no difference", "no_difference")
    if plain in _ANSWERS:
        wanted = _ANSWERS[plain]
        return Condition(text, lambda result: result.verdict.answer is wanted)
    form = _FORM.fullmatch(plain)
    if form is None:
        raise _refused(text, f"it is neither an answer ({', '.join(_ANSWERS)}) nor a comparison")
    sign, value = _SIGNS[form["sign"]], float(form["value"])
    if form["metric"] == "ratio":
        return Condition(text, lambda result: _ratio_holds(result, sign, value))
    if form["metric"] not in _METRICS:
        near = difflib.get_close_matches(form["metric"], [*_METRICS, "ratio"], n=1)
        raise _refused(text, f"unknown metric {form['metric']}", near[0] if near else None)
    base, read = _METRICS[form["metric"]]
    if form["unit"] not in _IN_BASE_UNIT[base]:
        raise _refused(text, f"{form['metric']} has no unit {form['unit']!r}")
    limit = value * _IN_BASE_UNIT[base][form["unit"]]

    def holds(result: PairResult) -> bool:
        seen = read(result.b) if result.b.closed.rounds else None
        return seen is None or sign(seen, limit)

    return Condition(text, holds)


def _ratio_holds(
    result: PairResult, sign: Callable[[float, float], bool], value: float
) -> bool:
    effect = result.verdict.effect
    return effect is None or sign(effect.ratio, value)


def _refused(text: str, why: str, near: str | None = None) -> FreeloopError:
    known = ", ".join([*_METRICS, "ratio"])
    return FreeloopError(
        "bad-condition",
        what=f"cannot read the condition {text!r}: {why}",
        where="--fail-if",
        mend=f"did you mean {near}? known metrics: {known}" if near else f"known metrics: {known}",
    )
