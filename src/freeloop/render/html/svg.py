"""Small SVG marks whose x is a percentage, so that a chart fits any width with text unscaled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# The plot lies between these, in percent of the width; labels of the y axis stand left of it.
LEFT, RIGHT = 13.0, 96.0
LOG_FROM = 12.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps a value to a place between 0 (low) and 1 (high).

    Attributes:
        low: Value at 0.
        high: Value at 1.
        logarithmic: Whether equal steps are equal ratios; then low is above zero.
        ticks: Values to label.
    """

    low: float
    high: float
    logarithmic: bool
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Return where the value lies, kept inside 0 to 1."""
        if self.logarithmic:
            low, high = math.log(self.low), math.log(self.high)
            at = (math.log(max(value, self.low)) - low) / (high - low)
        else:
            at = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, at))


def scale_for(values: Iterable[float]) -> Scale:
    """Return a scale for amounts: from zero, or logarithmic where they span a lot."""
    known = [value for value in values if math.isfinite(value) and value >= 0]
    top = max(known, default=1.0) or 1.0
    least = min((value for value in known if value > 0), default=top)
    if top / least >= LOG_FROM and min(known) > 0:
        return _log_scale(least, top)
    step = _nice_step(top / 4)
    count = math.ceil(top / step - 1e-9)
    return Scale(
        0.0,
        count * step,
        logarithmic=False,
        ticks=tuple(step * index for index in range(count + 1)),
    )


def ratio_scale(values: Iterable[float]) -> Scale:
    """Return a logarithmic scale for ratios with 1 in its middle."""
    known = [value for value in values if math.isfinite(value) and value > 0]
    farthest = max((abs(math.log(value)) for value in known), default=0.0)
    edge = math.exp(max(farthest, math.log(2)) * 1.08)
    return Scale(1 / edge, edge, logarithmic=True, ticks=(1.0,))


def across(share: float) -> str:
    """Return the x of a share of the plot's width."""
    return f"{LEFT + share * (RIGHT - LEFT):.2f}%"


def along(share: float) -> str:
    """Return the x of a share of the whole width, for a picture without a y axis."""
    return f"{1.5 + share * 97:.2f}%"


def line(x1: str, y1: float, x2: str, y2: float, css: str) -> SafeString:
    """Return a straight line."""
    return format_html(
        '<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>', css, x1, _px(y1), x2, _px(y2)
    )


def text(x: str, y: float, words: str, css: str, anchor: str = "start") -> SafeString:
    """Return a piece of text; the anchor is start, middle or end."""
    return format_html(
        '<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>', css, x, _px(y), anchor, words
    )


def bar(x1: float, x2: float, y: float, height: float, css: str) -> SafeString:
    """Return a bar between two shares of the whole width."""
    return format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="3"/>',
        css,
        along(x1),
        _px(y),
        f"{max(0.4, (x2 - x1) * 97):.2f}%",
        _px(height),
    )


def marker(side: str, x: str, y: float) -> SafeString:
    """Return the sign of a side: a disc for A, a diamond for B."""
    if side == "a":
        return format_html('<circle class="mark a" cx="{}" cy="{}" r="5"/>', x, _px(y))
    return format_html(
        '<svg x="{}" y="{}" overflow="visible"><path class="mark b" d="M0-6.5 6.5 0 0 6.5-6.5 0z"/>'
        "</svg>",
        x,
        _px(y),
    )


def dot(side: str, x: str, y: float) -> SafeString:
    """Return the small mark of one round."""
    return format_html('<circle class="dot {}" cx="{}" cy="{}" r="2.2"/>', side, x, _px(y))


def ring(x: str, y: float) -> SafeString:
    """Return the mark of a measurement beside a prediction."""
    return format_html('<circle class="ring" cx="{}" cy="{}" r="5"/>', x, _px(y))


def shifted(pixels: float, parts: Sequence[SafeString]) -> SafeString:
    """Return the parts moved sideways, so that two sides at one x do not hide each other."""
    return format_html('<g transform="translate({} 0)">{}</g>', _px(pixels), joined(parts))


def drawing(height: float, label: str, parts: Sequence[SafeString], css: str = "") -> SafeString:
    """Return the whole picture with its text alternative."""
    return format_html(
        '<svg class="chart {}" role="img" aria-label="{}" width="100%" height="{}">{}</svg>',
        css,
        label,
        _px(height),
        joined(parts),
    )


def joined(parts: Iterable[SafeString]) -> SafeString:
    """Return the parts one after another."""
    return format_html_join("", "{}", ((part,) for part in parts))


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _nice_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * 0.999)


def _log_scale(least: float, top: float) -> Scale:
    steps = [
        digit * 10.0**power
        for power in range(math.floor(math.log10(least)) - 1, math.ceil(math.log10(top)) + 1)
        for digit in (1, 2, 5)
    ]
    low = max(step for step in steps if step <= least * 1.0001)
    high = min((step for step in steps if step >= top * 0.9999), default=top)
    inside = [step for step in steps if low <= step <= high * 1.0001]
    if len(inside) > 6:
        powers = [step for step in inside if math.isclose(math.log10(step) % 1, 0, abs_tol=1e-9)]
        inside = powers if len(powers) > 1 else inside[::2]
        inside = inside[:: math.ceil(len(inside) / 6)]
    return Scale(low, high, logarithmic=True, ticks=tuple(inside))
