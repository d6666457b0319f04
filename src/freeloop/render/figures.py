"""Figures: numbers of a run as short text, and the medians that tables show."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import median

from freeloop.model.run import PairResult, Quantiles, Run, Series, SideResult

UNKNOWN = "?"
NONE = "-"
MIB = 1024 * 1024


def middle(values: Iterable[float | None]) -> float | None:
    """Return the median of the known values, None when there is none."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    return median(known) if known else None


def throughput_rps(series: Series) -> float | None:
    """Return the median right answers per second over the rounds."""
    return middle(item.throughput_rps for item in series.rounds)


def latency_ms(series: Series | None, quantile: str) -> float | None:
    """Return the median over the rounds of one latency quantile: "p50", "p90" or "p99"."""
    return _quantile((item.latency for item in series.rounds), quantile) if series else None


def first_byte_ms(series: Series, quantile: str = "p50") -> float | None:
    """Return the median over the rounds of the time to the first body byte."""
    return _quantile((item.first_byte for item in series.rounds), quantile)


def gap_ms(series: Series, quantile: str = "p50") -> float | None:
    """Return the median over the rounds of the time between stream events."""
    return _quantile((item.gap for item in series.rounds), quantile)


def failed_share(side: SideResult) -> float | None:
    """Return the share of failed requests of the closed rounds, 0 to 1; None without requests."""
    failed = sum(item.failed for item in side.closed.rounds)
    sent = failed + sum(item.completed for item in side.closed.rounds)
    return failed / sent if sent else None


def by_pair(run: Run) -> list[list[PairResult]]:
    """Return the results grouped by pair, each group in the order of concurrency."""
    groups: dict[str, list[PairResult]] = {}
    for result in run.pairs:
        groups.setdefault(result.pair, []).append(result)
    return [sorted(group, key=lambda result: result.concurrency) for group in groups.values()]


def ratio_text(ratio: float) -> str:
    """Return an effect as people read it: two or three digits, no sign for the unit."""
    if not math.isfinite(ratio):
        return UNKNOWN
    if ratio >= 100:
        return f"{ratio:.0f}"
    if ratio >= 1.95:
        return f"{ratio:.1f}"
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"


def number_text(value: float | None) -> str:
    """Return a measured number with about three digits; "?" when it is not known."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if size >= 100 or value == 0:
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def mebibytes_text(size_bytes: float | None) -> str:
    """Return a size in MiB, without the unit."""
    return UNKNOWN if size_bytes is None else f"{size_bytes / MIB:.0f}"


def share_text(share: float | None) -> str:
    """Return a share as a percentage; one that is not zero never reads as zero."""
    if share is None:
        return UNKNOWN
    if 0 < share < 0.01:
        return "<1%"
    return f"{share:.0%}"


def seconds_text(milliseconds: float | None) -> str:
    """Return a duration for people: "3.05 s" or "84 ms"."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds >= 1000:
        return f"{number_text(milliseconds / 1000)} s"
    return f"{number_text(milliseconds)} ms"


def ms_text(duration_ns: int) -> str:
    """Return nanoseconds as milliseconds, without the unit; a microsecond never reads as zero."""
    milliseconds = duration_ns / 1e6
    return f"{milliseconds:.3f}" if 0 < milliseconds < 0.1 else number_text(milliseconds)


def left_text(seconds: float) -> str:
    """Return the time left, coarse, since it is a guess."""
    if not math.isfinite(seconds):
        return UNKNOWN
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def count_text(number: int, noun: str) -> str:
    """Return "1 hop", "2 hops"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _quantile(found: Iterable[Quantiles | None], quantile: str) -> float | None:
    return middle(getattr(item, quantile) for item in found if item is not None)
