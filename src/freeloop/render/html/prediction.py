"""The prediction on a trace's page: a curve for each deployment, with what the bursts measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from django.utils.safestring import SafeString

from freeloop.model.prediction import Forecast, Predicted, Prediction
from freeloop.render.figures import number_text, seconds_text
from freeloop.render.html import svg
from freeloop.render.html.charts import Chart
from freeloop.render.prediction_words import (
    BASIS,
    MEANS,
    NO_NUMBER,
    knee_text,
    limited_text,
    verdict_text,
    what_if_lines,
)

HEIGHT, TOP, BOTTOM = 210.0, 12.0, 172.0
NOTE = "Curve: predicted mean. Upright lines: its interval. Rings: the bursts, measured."


def prediction_section(prediction: Prediction) -> dict[str, object]:
    """Return what the template shows of a prediction."""
    rates = [
        rate
        for each in prediction.deployments
        for rate in (
            *(forecast.high_rps for forecast in each.curve if forecast.rate_rps is not None),
            *(burst.rate_rps for burst in each.measured),
        )
    ]
    scale = svg.scale_for([0.0, *rates])
    return {
        "basis": f"{BASIS}; {MEANS}",
        "charts": [(each.name, _chart(each, scale)) for each in prediction.deployments],
        "verdicts": [(each.question, verdict_text(each)) for each in prediction.verdicts],
        "what_ifs": [
            (each.asked, each.before, what_if_lines(each, prediction))
            for each in prediction.what_ifs
        ],
        "notes": prediction.notes,
    }


def _chart(deployment: Predicted, scale: svg.Scale) -> Chart:
    label = f"{deployment.name}, requests per second over requests in flight. " + " ".join(
        f"At {each.concurrency}: {_rate_text(each)}." for each in deployment.forecasts
    )
    rows = [
        (
            f"{each.concurrency} in flight, predicted",
            _rate_text(each),
            "" if each.rate_rps is None else number_text(each.low_rps),
            "" if each.rate_rps is None else number_text(each.high_rps),
            "" if each.mean_ms is None else seconds_text(each.mean_ms),
            limited_text(each),
        )
        for each in deployment.forecasts
    ]
    rows += [
        (
            f"{each.concurrency} in flight, measured",
            number_text(each.rate_rps),
            "",
            "",
            f"{seconds_text(each.latency_ms)} (median)",
            "",
        )
        for each in deployment.measured
    ]
    return Chart(
        title=f"{deployment.name}: requests per second, predicted",
        note=f"{knee_text(deployment)}. {NOTE}",
        drawing=_drawing(deployment, scale, label),
        head=("requests", "per second", "low", "high", "latency", "limited by"),
        rows=tuple(rows),
    )


def _rate_text(forecast: Forecast) -> str:
    return NO_NUMBER if forecast.rate_rps is None else f"{number_text(forecast.rate_rps)}/s"


def _drawing(deployment: Predicted, scale: svg.Scale, label: str) -> SafeString:
    most = deployment.curve[-1].concurrency
    parts = [*_grid(scale), *_numbers(sorted({1, 8, 32, most}), most)]
    known = [
        (_across(each.concurrency, most), each.rate_rps, each)
        for each in deployment.curve
        if each.rate_rps is not None
    ]
    for x, _rate_rps, each in known:
        low, high = _height(scale, each.low_rps), _height(scale, min(each.high_rps, scale.high))
        parts.append(svg.line(x, low, x, high, "range b"))
    parts += [
        svg.line(x1, _height(scale, one), x2, _height(scale, two), "curve b")
        for (x1, one, _), (x2, two, _) in pairwise(known)
    ]
    for burst in deployment.measured:
        if burst.concurrency <= most:
            x = _across(burst.concurrency, most)
            parts.append(svg.ring(x, _height(scale, burst.rate_rps)))
    return svg.drawing(HEIGHT, label, parts)


def _grid(scale: svg.Scale) -> list[SafeString]:
    parts = []
    for tick in scale.ticks:
        y = _height(scale, tick)
        parts.append(svg.line(svg.across(0), y, svg.across(1), y, "grid"))
        parts.append(svg.text(f"{svg.LEFT - 1.5:.1f}%", y + 4, f"{tick:g}", "tick", "end"))
    return parts


def _numbers(steps: Sequence[int], most: int) -> list[SafeString]:
    shown = [step for step in steps if step <= most]
    parts = [svg.text(_across(step, most), BOTTOM + 17, f"{step}", "", "middle") for step in shown]
    return [*parts, svg.text(svg.across(0.5), BOTTOM + 34, "requests in flight", "", "middle")]


def _across(concurrency: int, most: int) -> str:
    return svg.across(math.log(concurrency) / math.log(most) if most > 1 else 0.5)


def _height(scale: svg.Scale, value: float) -> float:
    return BOTTOM - scale.place(value) * (BOTTOM - TOP)
