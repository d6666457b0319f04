"""The lanes of a timeline as one SVG: what each did when, on a broken axis, with its hops."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from django.utils.html import format_html
from django.utils.safestring import SafeString

from freeloop.model.reading import Happening, Reading
from freeloop.model.timeline import Segment, State
from freeloop.render.axis import Axis, Stretch, axis_of
from freeloop.render.figures import ms_text
from freeloop.render.html.svg import joined
from freeloop.render.own_steps import is_own
from freeloop.render.states import LOOKS
from freeloop.render.trace_lanes import shown_lanes, states_of
from freeloop.render.trace_words import lane_name, lane_words, short_text, stamp_text

# In pixels: the axis with its two rows of text, then each lane: its name above its bars.
TOP, NAME, BAR, GAP = 42.0, 18.0, 22.0, 8.0
LANE = NAME + BAR + GAP
# A bar is drawn at least this wide, in percent, so that short work can be seen.
NARROWEST = 0.25
# Lower or narrower bars hold no words, at any width of the page.
LOWEST_WITH_WORDS, NARROWEST_WITH_WORDS = 0.6, 0.03
# Labels of the axis keep this distance, as a share of the width.
BETWEEN_LABELS = 0.1


def lanes_picture(reading: Reading) -> SafeString:
    """Return the picture; the execution table is its text alternative."""
    axis = axis_of(reading.timeline)
    numbers = shown_lanes(reading)
    tops = {number: TOP + LANE * index for index, number in enumerate(numbers)}
    height = TOP + LANE * len(numbers)
    # Later parts lie above earlier ones: no line may cross a word.
    parts = [
        *_fillings(),
        *_axis(axis, height),
        *(part for number in numbers for part in _bars(reading, number, axis, tops[number])),
        *_tears(axis, height),
        *_links(reading, axis, tops),
        *(part for number in numbers for part in _words(reading, number, axis, tops[number])),
        format_html(
            '<svg class="cursor" x="{}" overflow="visible">'
            '<path d="M-6 {}h12l-6 8zM0 {}V{}"/></svg>',
            percent(0),
            TOP - 14,
            TOP - 8,
            height,
        ),
    ]
    return format_html(
        '<svg class="lanes" role="img" aria-labelledby="timeline-words" width="100%" height="{}">'
        "{}</svg>",
        height,
        joined(parts),
    )


def legend(reading: Reading) -> list[dict[str, str]]:
    """Return word, meaning and sample bar of each state that the timeline shows."""
    return [
        {"word": LOOKS[state].word, "means": LOOKS[state].means, "sample": _sample(state)}
        for state in states_of(reading)
    ]


def percent(share: float) -> str:
    """Return a share of the width as an SVG length; half a percent stays free on both sides."""
    return f"{0.5 + share * 99:.3f}%"


def _fillings() -> Iterator[SafeString]:
    """Yield a pattern for each hatched or crossed state; colours come from the style."""
    for state, look in LOOKS.items():
        if look.filling not in {"hatched", "crossed"}:
            continue
        strokes = "M-2 10 10-2M4 16 16 4" if look.filling == "hatched" else "M0 0 14 14M14 0 0 14"
        yield format_html(
            '<defs><pattern id="fill-{0}" class="{0}" patternUnits="userSpaceOnUse" width="{1}"'
            ' height="{1}"><rect width="{1}" height="{1}"/><path d="{2}"/></pattern></defs>',
            state.value,
            14 if look.filling == "crossed" else 12,
            strokes,
        )


def _axis(axis: Axis, height: float) -> Iterator[SafeString]:
    for at_ns in _labelled(axis):
        share = axis.place(at_ns)
        anchor = "start" if share < 0.03 else "end" if share > 0.97 else "middle"
        yield format_html(
            '<line class="tick" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>',
            percent(share),
            TOP - 12,
            height,
        )
        yield format_html(
            '<text class="time" x="{}" y="{}" text-anchor="{}">{}</text>',
            percent(share),
            TOP - 16,
            anchor,
            f"{stamp_text(at_ns)} ms" if share > 0.97 else stamp_text(at_ns),
        )


def _labelled(axis: Axis) -> list[int]:
    """Return the times to label, the most telling first: both ends, beside a break, between.

    On a narrow page the script hides those that would cover an earlier one.
    """
    first, last = axis.stretches[0].start_ns, axis.stretches[-1].end_ns
    edges = [time for part in axis.breaks for time in (part.start_ns, part.end_ns)]
    between = [
        part.start_ns + (part.end_ns - part.start_ns) * step // 4
        for part in axis.stretches
        if not part.broken
        for step in (1, 2, 3)
    ]
    taken = [first, last]
    for at_ns in (*edges, *between):
        share = axis.place(at_ns)
        if all(abs(share - axis.place(other)) >= BETWEEN_LABELS for other in taken):
            taken.append(at_ns)
    return taken


def _tears(axis: Axis, height: float) -> Iterator[SafeString]:
    """Yield a torn strip through all lanes for each break, and what it leaves out."""
    for part in axis.breaks:
        turns = int((height - TOP) // 8) + 1
        tear = f"M-3 {TOP - 12:.0f}" + "l6 4-6 4" * turns
        yield format_html(
            '<svg class="tear" x="{}" overflow="visible"><path class="gap" d="{}"/>'
            '<path class="edge" d="{}" transform="translate(-3 0)"/>'
            '<path class="edge" d="{}" transform="translate(3 0)"/></svg>',
            percent(_torn_at(part)),
            tear,
            tear,
            tear,
        )
        yield _fitted(
            part.left, part.right, 0, 16, f"\u2248 {ms_text(part.end_ns - part.start_ns)} ms", "cut"
        )


def _bars(reading: Reading, number: int, axis: Axis, top: float) -> Iterator[SafeString]:
    yield format_html(
        '<line class="rail" x1="0.5%" x2="99.5%" y1="{0}" y2="{0}"/>', top + NAME + BAR - 0.5
    )
    for segment in reading.timeline.lanes[number]:
        look = LOOKS[segment.state]
        left, right = axis.place(segment.start_ns), axis.place(segment.end_ns)
        height = BAR * look.height
        filled = look.filling in {"hatched", "crossed"}
        yield format_html(
            '<g class="bar {} {}"><title>{}</title>'
            '<rect x="{}" y="{}" width="{}" height="{}"{}/></g>',
            segment.state.value,
            look.filling,
            f"{look.word}: {look.means}. {_label(segment)}, from {stamp_text(segment.start_ns)} ms",
            percent(left),
            top + NAME + BAR - height,
            f"{max(NARROWEST, (right - left) * 99):.3f}%",
            height,
            format_html(' fill="url(#fill-{})"', segment.state.value) if filled else "",
        )


def _words(reading: Reading, number: int, axis: Axis, top: float) -> Iterator[SafeString]:
    """Yield the name of a lane, and the words in its bars."""
    segments = reading.timeline.lanes[number]
    yield format_html(
        '<g class="lane" data-lane="{}"><text class="name" x="{}" y="{}"><tspan class="who">{}'
        '</tspan><tspan class="sum" dx="8">{}</tspan></text></g>',
        number,
        percent(0),
        top + NAME - 6,
        lane_name(reading.trace, number),
        lane_words(segments),
    )
    for segment in segments:
        look = LOOKS[segment.state]
        left, right = axis.place(segment.start_ns), axis.place(segment.end_ns)
        if look.height < LOWEST_WITH_WORDS or right - left < NARROWEST_WITH_WORDS:
            continue
        left, right = _whole(axis, left, right)
        height = BAR * look.height
        css = f"label {segment.state.value} {look.filling}"
        short = short_text(segment.text) or look.word
        y = top + NAME + BAR - height
        yield _fitted(left, right, y, height, _label(segment), css, short)


def _whole(axis: Axis, left: float, right: float) -> tuple[float, float]:
    """Return the widest part between two shares that no tear crosses."""
    tears = [_torn_at(part) for part in axis.breaks]
    edges = [left, *(tear for tear in tears if left < tear < right), right]
    return max(pairwise(edges), key=lambda part: part[1] - part[0])


def _torn_at(part: Stretch) -> float:
    # Late in the stretch: the words of its bars need the room before it.
    return part.left + 0.8 * (part.right - part.left)


def _label(segment: Segment) -> str:
    lasted = ms_text(segment.end_ns - segment.start_ns)
    return f"{short_text(segment.text) or LOOKS[segment.state].word}, {lasted} ms"


def _fitted(
    left: float, right: float, top: float, height: float, words: str, css: str, short: str = ""
) -> SafeString:
    """Return words clipped to their part; the script takes the short ones, or none, if need be."""
    return format_html(
        '<svg class="fitted" x="{}" y="{}" width="{}" height="{}"><text class="{}" x="50%" y="{}"'
        ' text-anchor="middle" data-short="{}">{}</text></svg>',
        percent(left),
        top,
        f"{(right - left) * 99:.3f}%",
        height,
        css,
        height / 2 + 4,
        short,
        words,
    )


def _links(reading: Reading, axis: Axis, tops: dict[int, float]) -> Iterator[SafeString]:
    """Yield who started whom, and who came back: a line from lane to lane with an arrow.

    Of the hops that Django makes for itself only a faint line away: fifteen of them hide the rest.
    """
    for row in reading.rows:
        if row.other is None or not {row.lane, row.other} <= set(tops):
            continue
        away, there = (tops[lane] + NAME + BAR / 2 for lane in (row.lane, row.other))
        start = axis.place(row.start_ns + row.queued_ns)
        if is_own(reading.trace, row):
            yield _arrow(start, away, there, "link own")
            continue
        yield _arrow(start, away, there)
        if row.what is Happening.HOP:
            yield _arrow(axis.place(row.end_ns), there, away)


def _arrow(share: float, start: float, end: float, css: str = "link") -> SafeString:
    head = -6 if end > start else 6
    return format_html(
        '<svg class="{}" x="{}" overflow="visible"><path d="M0 {}V{}M-3.5 {}L0 {}L3.5 {}"/></svg>',
        css,
        percent(share),
        start,
        end,
        end + head,
        end,
        end + head,
    )


def _sample(state: State) -> SafeString:
    look = LOOKS[state]
    height = 16 * look.height
    filled = look.filling in {"hatched", "crossed"}
    return format_html(
        '<svg class="sample" width="34" height="18" aria-hidden="true"><g class="bar {} {}">'
        '<rect x="1" y="{}" width="32" height="{}"{}/></g></svg>',
        state.value,
        look.filling,
        17 - height,
        height,
        format_html(' fill="url(#fill-{})"', state.value) if filled else "",
    )
