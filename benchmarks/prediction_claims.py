"""What benchmarks/prediction.py claims, counted on the rows of its run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from prediction_pairs import MADE, chosen

MEDIAN_ERROR, P90_ERROR, RIGHT = 0.20, 0.50, 0.90


def claims(
    cells: list[dict[str, Any]], what_ifs: list[dict[str, Any]], key: str
) -> Iterator[tuple[bool, str]]:
    """Yield whether each claim holds, with its numbers.

    Args:
        cells: One row for each pair and concurrency.
        what_ifs: One row for each change and concurrency.
        key: "predicted" for the predictions made before the measurement, "again" for later ones.
    """
    measured = [cell for cell in cells if "measured_rps" in cell]
    errors, inside, without = [], 0, 0
    for cell in measured:
        for forecast, rate_rps in zip(cell[key]["sides"], cell["measured_rps"], strict=True):
            if forecast["rate_rps"] is None or not rate_rps:
                without += 1
                continue
            errors.append(off(forecast["rate_rps"], rate_rps))
            inside += forecast["low_rps"] <= rate_rps <= forecast["high_rps"]
    yield from bounds("throughput of a side", errors, f"{without} without a number")
    print(f"       {inside} of {len(errors)} intervals hold the measured rate, 90 % are meant to")
    middle, tail = np.percentile(repeats(measured), [50, 90])
    print(f"       measured in two pairs the same side differs by {middle:.0%} and {tail:.0%}")
    decided = [cell for cell in measured if cell["measured_answer"] != "unknown"]
    answered = [cell for cell in decided if cell[key]["answer"] != "unknown"]
    right = sum(cell[key]["answer"] == cell["measured_answer"] for cell in answered)
    yield (
        bool(answered) and right >= RIGHT * len(answered),
        (
            f"verdicts: {right} of {len(answered)} right; {len(decided)} decided by measurement, "
            f"{len(decided) - len(answered)} of them predicted as unknown"
        ),
    )
    errors, without = [], 0
    for row in what_ifs:
        rate_rps = really(row, measured)
        if rate_rps is None or row[key] is None:
            without += 1
            continue
        errors.append(off(row[key], rate_rps))
        print(
            f"       {row['before']} {row['change']}, {row['concurrency']} in flight: "
            f"{row[key]:.0f}/s predicted, {rate_rps:.0f}/s measured"
        )
    yield from bounds("what-ifs", errors, f"{without} without a number")


def repeats(measured: list[dict[str, Any]]) -> list[float]:
    """Return how far apart two measurements of one side are: what no prediction can be held to."""
    pairs = {pair.id: pair for pair in chosen()}
    rates: dict[str, list[float]] = {}
    for cell in measured:
        pair = pairs[cell["pair"]]
        for side, rate_rps in zip((pair.a, pair.b), cell["measured_rps"], strict=True):
            if rate_rps:
                rates.setdefault(f"{side} {cell['concurrency']}", []).append(rate_rps)
    return [off(*two) for found in rates.values() for two in combinations(found, 2)] or [0.0]


def really(row: dict[str, Any], measured: list[dict[str, Any]]) -> float | None:
    """Return what the side with the change was measured to do; None where it was not."""
    made = next(
        each for each in MADE if (each.change, each.before) == (row["change"], row["before"])
    )
    for cell in measured:
        if (cell["pair"], cell["concurrency"]) == (made.pair, row["concurrency"]):
            rate_rps: float = cell["measured_rps"]["ab".index(made.side)]
            return rate_rps or None
    return None


def bounds(name: str, errors: list[float], more: str) -> Iterator[tuple[bool, str]]:
    """Yield the two claims on a list of errors."""
    if not errors:
        yield False, f"{name}: nothing to compare, {more}"
        return
    middle, tail = np.percentile(errors, [50, 90])
    yield middle <= MEDIAN_ERROR, f"{name}: median error {middle:.0%} of {len(errors)}, {more}"
    yield tail <= P90_ERROR, f"{name}: error at the 90th percentile {tail:.0%}"


def off(predicted_rps: float, measured_rps: float) -> float:
    """Return the error as a ratio above zero, the same for twice as much and half as much."""
    return math.exp(abs(math.log(predicted_rps / measured_rps))) - 1
