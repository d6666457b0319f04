"""The comparison of one pair: the rows that terminal and report both show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from freeloop.model.run import Observed, PairResult, Round, SideResult
from freeloop.render.figures import (
    NONE,
    UNKNOWN,
    failed_share,
    first_byte_ms,
    gap_ms,
    latency_ms,
    mebibytes_text,
    middle,
    number_text,
    share_text,
    throughput_rps,
)

LEGEND = (
    "Median of the rounds; ? is not known, - does not apply. "
    "closed: each connection sends when its last answer came (capacity). "
    "open: constant arrivals, timed from when a request was due (latency)."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing for every cell of a pair.

    Attributes:
        group: Heading that neighbouring rows share, such as "latency, ms".
        label: What it is, with unit and, unless measured, its basis.
        cells: One (A, B) couple of texts per concurrency.
    """

    group: str
    label: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Line:
    group: str
    label: str
    text: Callable[[SideResult], str]
    always: bool = True
    inside: bool = False


def comparison(results: Sequence[PairResult]) -> tuple[Row, ...]:
    """Return the rows of one pair, a couple of cells per concurrency.

    Rows of things that this pair does not have (stream events, a neighbour, failures) are left
    out; without an observed round one row of "?" stands for all that it would have told.
    """
    seen = any(side.observed for result in results for side in (result.a, result.b))
    rows = []
    for line in _LINES:
        if line.inside and not seen:
            continue
        cells = tuple((line.text(result.a), line.text(result.b)) for result in results)
        if line.always or any(text not in (NONE, "0%") for couple in cells for text in couple):
            rows.append(Row(line.group, line.label, cells))
    if not seen:
        cells = tuple((UNKNOWN, UNKNOWN) for _ in results)
        rows.append(Row("held", "inside the server", cells))
    return tuple(rows)


def _observed(side: SideResult, pick: Callable[[Observed], float | None], absent: str) -> str:
    if side.observed is None:
        return UNKNOWN
    value = pick(side.observed)
    return absent if value is None else number_text(value)


def _loop_held(side: SideResult) -> str:
    return _observed(side, lambda seen: seen.loop_held_ms, NONE)


def _longest_hold(side: SideResult) -> str:
    absent = NONE if side.observed and side.observed.loop_held_ms is None else UNKNOWN
    return _observed(side, lambda seen: seen.longest_hold_ms, absent)


def _connections(side: SideResult) -> str:
    if side.observed is None:
        return UNKNOWN
    held = str(side.observed.connections_held)
    return held if side.observed.pool_max is None else f"{held} of {side.observed.pool_max}"


def _latency(quantile: str) -> Callable[[SideResult], str]:
    return lambda side: number_text(latency_ms(side.closed, quantile))


def _open_latency(quantile: str) -> Callable[[SideResult], str]:
    return lambda side: (
        number_text(latency_ms(side.open, quantile)) if side.open is not None else NONE
    )


def _open_rate(side: SideResult) -> str:
    return number_text(side.open.rate_rps) if side.open is not None else NONE


def _first_byte(side: SideResult) -> str:
    value = first_byte_ms(side.closed)
    return NONE if value is None else number_text(value)


def _gap(quantile: str) -> Callable[[SideResult], str]:
    def text(side: SideResult) -> str:
        value = gap_ms(side.closed, quantile)
        return NONE if value is None else number_text(value)

    return text


def _neighbour(quantile: str) -> Callable[[SideResult], str]:
    return lambda side: (
        number_text(latency_ms(side.neighbour, quantile)) if side.neighbour is not None else NONE
    )


def _neighbour_alone(quantile: str) -> Callable[[SideResult], str]:
    def alone(side: SideResult) -> str:
        if side.neighbour is None:
            return NONE
        known = side.neighbour_alone
        return number_text(None if known is None else float(getattr(known, quantile)))

    return alone


def _threads(side: SideResult) -> str:
    peak = max((item.threads for item in side.closed.rounds), default=None)
    return UNKNOWN if peak is None else str(peak)


def _memory(side: SideResult) -> str:
    return mebibytes_text(max((item.rss_bytes for item in side.closed.rounds), default=None))


def _limit(side: SideResult) -> str:
    return "none" if side.thread_limit is None else str(side.thread_limit)


def _share(side: SideResult, of: Callable[[Round], float | None]) -> str:
    return share_text(middle(of(item) for item in side.closed.rounds))


_LINES = (
    _Line("requests/s", "closed, measured", lambda side: number_text(throughput_rps(side.closed))),
    _Line("requests/s", "quiet core, estimated", lambda side: number_text(side.quiet_rps)),
    _Line(
        "cost",
        "CPU ms per request",
        lambda side: number_text(middle(item.cpu_ms for item in side.closed.rounds)),
    ),
    _Line("cost", "core in use or wanted", lambda side: _share(side, lambda item: item.busy)),
    _Line("cost", "others on that core", lambda side: _share(side, lambda item: item.strangers)),
    _Line("cost", "memory, most, MiB", _memory),
    _Line("latency ms", "one at a time", lambda side: number_text(side.unloaded_ms)),
    _Line("latency ms", "closed p50", _latency("p50")),
    _Line("latency ms", "closed p90", _latency("p90")),
    _Line("latency ms", "closed p99", _latency("p99")),
    _Line("latency ms", "open, arrivals/s", _open_rate, always=False),
    _Line("latency ms", "open p50", _open_latency("p50"), always=False),
    _Line("latency ms", "open p90", _open_latency("p90"), always=False),
    _Line("latency ms", "open p99", _open_latency("p99"), always=False),
    _Line("latency ms", "closed first byte p50", _first_byte),
    _Line("latency ms", "event gap p50", _gap("p50"), always=False),
    _Line("latency ms", "event gap p99", _gap("p99"), always=False),
    _Line("latency ms", "neighbour alone p50", _neighbour_alone("p50"), always=False),
    _Line("latency ms", "neighbour alone p99", _neighbour_alone("p99"), always=False),
    _Line("latency ms", "neighbour p50", _neighbour("p50"), always=False),
    _Line("latency ms", "neighbour p99", _neighbour("p99"), always=False),
    _Line("threads", "limit", _limit),
    _Line("threads", "most at once", _threads),
    _Line(
        "threads",
        "started per request",
        lambda side: _observed(side, lambda seen: seen.threads_started, UNKNOWN),
        inside=True,
    ),
    _Line("held", "loop ms per request", _loop_held, inside=True),
    _Line("held", "loop ms, longest", _longest_hold, inside=True),
    _Line(
        "held",
        "thread ms per request",
        lambda side: _observed(side, lambda seen: seen.thread_held_ms, NONE),
        inside=True,
    ),
    _Line("held", "DB connections", _connections, inside=True),
    _Line("failed", "share of requests", lambda side: share_text(failed_share(side)), always=False),
)
