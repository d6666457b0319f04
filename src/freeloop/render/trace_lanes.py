"""The lanes of a timeline as rows of signs, one cell of the terminal per share of the axis."""

from __future__ import annotations

from rich.text import Text

from freeloop.model.reading import Reading
from freeloop.model.timeline import Segment, State
from freeloop.model.trace import LaneKind
from freeloop.render.axis import Axis, axis_of
from freeloop.render.figures import ms_text
from freeloop.render.states import LOOKS
from freeloop.render.trace_words import lane_name

# Shown wherever they touch a cell: short work between long waits is what one looks for.
ACTIVE = {State.BLOCKED: 4, State.RUNNING: 3, State.USED: 3, State.STARVED: 2, State.QUEUED: 1}
BREAK, PLAIN_BREAK = "\u2248", "/"


def shown_lanes(reading: Reading) -> list[int]:
    """Return the lanes that did anything: the request, its tasks, threads, connections."""
    order = list(LaneKind)
    return [
        lane.id
        for lane in sorted(
            reading.trace.lanes, key=lambda lane: (lane.id > 0, order.index(lane.kind))
        )
        if reading.timeline.lanes[lane.id]
    ]


def states_of(reading: Reading) -> list[State]:
    """Return the states that the timeline shows, in the order of their definition."""
    found = {segment.state for lane in reading.timeline.lanes for segment in lane}
    return [state for state in State if state in found]


def axis_lines(reading: Reading, width: int, *, ascii_only: bool) -> list[Text]:
    """Return the lines above the lanes: times, and what each break leaves out."""
    axis = axis_of(reading.timeline)
    sign = PLAIN_BREAK if ascii_only else BREAK
    times = [" "] * width
    _write(times, 0, "0")
    end = ms_text(reading.timeline.duration_ns)
    _write(times, width - len(end), end)
    for stretch in axis.breaks:
        for at_ns in (stretch.start_ns, stretch.end_ns):
            _write(times, round(axis.place(at_ns) * (width - 1)), ms_text(at_ns))
    lines = [Text("".join(times).rstrip(), "dim")]
    if axis.breaks:
        cut = [" "] * width
        for stretch in axis.breaks:
            left, right = round(stretch.left * width), round(stretch.right * width)
            said = f"{sign} {ms_text(stretch.end_ns - stretch.start_ns)} ms {sign}"
            _write(cut, left + max(0, (right - left - len(said)) // 2), said)
        lines.append(Text("".join(cut).rstrip(), "dim"))
    return lines


def lane_bars(reading: Reading, width: int, *, ascii_only: bool) -> list[tuple[str, Text]]:
    """Return name and bar of each lane that did anything."""
    axis = axis_of(reading.timeline)
    bars = []
    for number in shown_lanes(reading):
        segments = reading.timeline.lanes[number]
        bar = Text(no_wrap=True)
        for state in _cells(segments, axis, width):
            look = LOOKS[state] if state else None
            sign = " " if look is None else look.plain if ascii_only else look.sign
            bar.append(sign, look.style if look else "")
        bars.append((lane_name(reading.trace, number), bar))
    return bars


def _cells(segments: tuple[Segment, ...], axis: Axis, width: int) -> list[State | None]:
    cells: list[State | None] = [None] * width
    shares = [0.0] * width
    for segment in segments:
        left, right = axis.place(segment.start_ns) * width, axis.place(segment.end_ns) * width
        for cell in range(int(left), min(width, max(int(left) + 1, -int(-right // 1)))):
            share = max(0.0, min(right, cell + 1) - max(left, cell)) + ACTIVE.get(segment.state, 0)
            if cells[cell] is None or share > shares[cell]:
                cells[cell], shares[cell] = segment.state, share
    return cells


def _write(line: list[str], at: int, text: str) -> None:
    """Write where there is room, with a space on both sides; otherwise leave it out."""
    at = max(0, min(at, len(line) - len(text)))
    if all(sign == " " for sign in line[max(0, at - 1) : at + len(text) + 1]):
        line[at : at + len(text)] = text
