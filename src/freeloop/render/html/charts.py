"""The charts of the report, each with its numbers as a table and its text alternative."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.safestring import SafeString

from freeloop.model.run import PairResult, RaceResult, Series, SideResult
from freeloop.model.verdict import Interval
from freeloop.render.figures import latency_ms, middle, number_text, seconds_text
from freeloop.render.html import svg
from freeloop.render.words import arm_name

HEIGHT = 230.0
TOP, BOTTOM = 16.0, 192.0
LANE = 52.0
RACE_LANE = 66.0


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart as the template shows it.

    Attributes:
        title: What is drawn, with its unit.
        note: How to read the marks.
        drawing: The SVG.
        head: Column names of its table.
        rows: Rows of its table, as text; the first cell names the row.
    """

    title: str
    note: str
    drawing: SafeString
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """What is drawn for one side at one concurrency.

    Attributes:
        side: "a" or "b".
        concurrency: Requests in flight.
        value: Place of the large mark.
        low: Near end of the range.
        high: Far end of the range.
        small: Places of the small marks.
    """

    side: str
    concurrency: int
    value: float
    low: float
    high: float
    small: tuple[float, ...]


def throughput_chart(results: Sequence[PairResult]) -> Chart | None:
    """Return requests per second over concurrency, or None without a round."""
    spots = _spots(results, _throughput_spot)
    if not spots:
        return None
    return _chart(
        "Requests per second, measured",
        "Large mark: median. Small marks: each round. Line: lowest to highest round.",
        spots,
        ("median", "lowest", "highest"),
    )


def latency_chart(results: Sequence[PairResult]) -> Chart | None:
    """Return latency over concurrency, p50 to p99: open arrivals where all sides have them."""
    sides = [side for result in results for side in (result.a, result.b)]
    is_open = all(side.open is not None and side.open.rounds for side in sides)
    spots = _spots(results, _open_spot if is_open else _closed_spot)
    if not spots:
        return None
    model = "open arrivals, timed from when due" if is_open else "closed model"
    return _chart(
        f"Latency in ms, {model}",
        "Large mark: p50. Small mark: p90. Line: p50 to p99.",
        spots,
        ("p50", "p90", "p99"),
    )


def race_chart(race: RaceResult) -> Chart:
    """Return the lanes of a race: from the common start to the last answer."""
    known = [lane.last_ms for lane in race.lanes if lane.last_ms is not None]
    scale = svg.scale_for([0.0, *(value / 1000 for value in known)])
    bottom = len(race.lanes) * RACE_LANE + 10
    parts = _upright_grid(scale, bottom, " s")
    rows = []
    for index, lane in enumerate(race.lanes):
        y = index * RACE_LANE + 18
        side = "a" if index == 0 else "b"
        name = f"{arm_name(lane.arm)}  {lane.path}"
        rows.append(
            (
                name,
                f"{lane.answered} of {race.burst}",
                seconds_text(lane.first_ms),
                seconds_text(lane.last_ms),
                str(lane.threads),
                "none" if lane.thread_limit is None else str(lane.thread_limit),
            )
        )
        said = seconds_text(lane.last_ms) if lane.last_ms is not None else "no answer"
        parts.append(svg.text("0", y, arm_name(lane.arm), "name"))
        parts.append(svg.text("0", y + 16, lane.path, "path"))
        parts.append(svg.text("100%", y + 16, said, "value", "end"))
        if lane.last_ms is None:
            continue
        parts.append(svg.bar(0.0, scale.place(lane.last_ms / 1000), y + 25, 14, f"lane {side}"))
        if lane.first_ms is not None:
            x = svg.along(scale.place(lane.first_ms / 1000))
            parts.append(svg.line(x, y + 22, x, y + 42, "first"))
    label = f"Race of {race.burst} requests. " + " ".join(
        f"{name}: {answered} answered, last after {last}." for name, answered, _, last, _, _ in rows
    )
    return Chart(
        f"Burst of {race.burst}, seconds until the last answer",
        "Bar: start to last answer. Upright line: first answer. First lane: baseline. "
        "Seen once: no verdict.",
        svg.drawing(bottom + 30, label, parts),
        ("runner", "answered", "first", "last", "threads", "limit"),
        tuple(rows),
    )


def effect_track(effect: Interval | None, scale: svg.Scale) -> SafeString:
    """Return the ratio B / A with its interval on the run's common scale; the words are beside."""
    one = svg.along(scale.place(1.0))
    parts = [
        svg.line(svg.along(0), 14, svg.along(1), 14, "rail"),
        svg.line(one, 3, one, 25, "one"),
    ]
    if effect is None or not math.isfinite(effect.ratio):
        return svg.drawing(28, "No ratio.", parts, "track")
    low, high = (svg.along(scale.place(value)) for value in (effect.low, effect.high))
    parts += [
        svg.line(low, 14, high, 14, "interval"),
        svg.marker("b", svg.along(scale.place(effect.ratio)), 14),
    ]
    label = (
        f"B / A on a log scale around 1: {effect.ratio:.2g}, {effect.low:.2g} to {effect.high:.2g}."
    )
    return svg.drawing(28, label, parts, "track")


def _throughput_spot(side: SideResult) -> tuple[float, float, float, tuple[float, ...]] | None:
    values = tuple(item.throughput_rps for item in side.closed.rounds)
    center = middle(values)
    return None if center is None else (center, min(values), max(values), values)


def _open_spot(side: SideResult) -> tuple[float, float, float, tuple[float, ...]] | None:
    return _latency_spot(side.open)


def _closed_spot(side: SideResult) -> tuple[float, float, float, tuple[float, ...]] | None:
    return _latency_spot(side.closed)


def _latency_spot(series: Series | None) -> tuple[float, float, float, tuple[float, ...]] | None:
    p50, p90, p99 = (latency_ms(series, name) for name in ("p50", "p90", "p99"))
    if p50 is None or p90 is None or p99 is None:
        return None
    return p50, p50, p99, (p90,)


type _Measure = Callable[[SideResult], tuple[float, float, float, tuple[float, ...]] | None]


def _spots(results: Sequence[PairResult], measure: _Measure) -> list[Spot]:
    return [
        Spot(name, result.concurrency, *found)
        for result in results
        for name, side in (("a", result.a), ("b", result.b))
        if (found := measure(side)) is not None
    ]


def _chart(title: str, note: str, spots: list[Spot], columns: tuple[str, ...]) -> Chart:
    is_latency = columns[0] == "p50"
    scale = svg.scale_for([value for spot in spots for value in (spot.low, spot.high)])
    steps = sorted({spot.concurrency for spot in spots})
    draw = _over_concurrency if len(steps) > 1 else _side_by_side
    label = f"{title}. " + " ".join(
        f"{spot.side.upper()} at {spot.concurrency}: {number_text(spot.value)}." for spot in spots
    )
    rows = []
    for spot in spots:
        second = spot.small[0] if is_latency else spot.low
        numbers = (number_text(value) for value in (spot.value, second, spot.high))
        rows.append((f"{spot.side.upper()}, {spot.concurrency} in flight", *numbers))
    scale_words = " Log scale." if scale.logarithmic else ""
    return Chart(
        title, note + scale_words, draw(spots, steps, scale, label), ("side", *columns), tuple(rows)
    )


def _over_concurrency(
    spots: list[Spot], steps: list[int], scale: svg.Scale, label: str
) -> SafeString:
    parts = []
    for tick in scale.ticks:
        y = _height(scale, tick)
        parts.append(svg.line(svg.across(0), y, svg.across(1), y, "grid"))
        parts.append(svg.text(f"{svg.LEFT - 1.5:.1f}%", y + 4, _tick(tick), "tick", "end"))
    first, last = math.log(steps[0]), math.log(steps[-1])
    for step in steps:
        x = _across_log(step, first, last)
        parts.append(svg.text(x, BOTTOM + 18, str(step), "tick", "middle"))
    parts.append(svg.text(svg.across(0.5), BOTTOM + 35, "requests in flight", "axis", "middle"))
    for side, shift in (("a", -5.0), ("b", 5.0)):
        run = [spot for spot in spots if spot.side == side]
        places = [(_across_log(spot.concurrency, first, last), spot) for spot in run]
        marks = [
            svg.line(x1, _height(scale, one.value), x2, _height(scale, two.value), f"curve {side}")
            for (x1, one), (x2, two) in pairwise(places)
        ]
        for x, spot in places:
            low, high = _height(scale, spot.low), _height(scale, spot.high)
            marks.append(svg.line(x, low, x, high, f"range {side}"))
            marks += [svg.dot(side, x, _height(scale, value)) for value in spot.small]
            marks.append(svg.marker(side, x, _height(scale, spot.value)))
        if places:
            x, spot = places[-1]
            name = svg.text(x, _height(scale, spot.value) + 4, side.upper(), f"letter {side}")
            marks.append(svg.shifted(11.0, [name]))
        parts.append(svg.shifted(shift, marks))
    return svg.drawing(HEIGHT, label, parts)


def _side_by_side(spots: list[Spot], steps: list[int], scale: svg.Scale, label: str) -> SafeString:
    bottom = len(spots) * LANE + 10
    parts = _upright_grid(scale, bottom, "")
    for index, spot in enumerate(spots):
        y = index * LANE + 18
        words = f"{spot.side.upper()} at {steps[0]} in flight"
        parts.append(svg.text("0", y, words, "name"))
        parts.append(svg.text("100%", y, number_text(spot.value), "value", "end"))
        low, high = (svg.along(scale.place(value)) for value in (spot.low, spot.high))
        parts.append(svg.line(low, y + 16, high, y + 16, f"range {spot.side}"))
        parts += [svg.dot(spot.side, svg.along(scale.place(value)), y + 16) for value in spot.small]
        parts.append(svg.marker(spot.side, svg.along(scale.place(spot.value)), y + 16))
    return svg.drawing(bottom + 30, label, parts)


def _upright_grid(scale: svg.Scale, bottom: float, unit: str) -> list[SafeString]:
    parts = []
    for tick in scale.ticks:
        x = svg.along(scale.place(tick))
        parts.append(svg.line(x, 0, x, bottom, "grid"))
        anchor = "start" if tick == scale.low else "end" if tick == scale.high else "middle"
        parts.append(svg.text(x, bottom + 17, f"{_tick(tick)}{unit}", "tick", anchor))
    return parts


def _height(scale: svg.Scale, value: float) -> float:
    return BOTTOM - scale.place(value) * (BOTTOM - TOP)


def _across_log(step: int, first: float, last: float) -> str:
    return svg.across(0.04 + 0.92 * (math.log(step) - first) / (last - first))


def _tick(value: float) -> str:
    return f"{value:g}"
