"""One recorded request on the terminal: head, totals, timeline, execution table, findings."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from freeloop.model.reading import Effect, Reading, Row
from freeloop.model.trace import Trace
from freeloop.render.console import show, show_labelled, show_row
from freeloop.render.figures import ms_text
from freeloop.render.finding_words import MORE_PLACES, finding_place, finding_sentence, mend_text
from freeloop.render.own_steps import Folded, folded
from freeloop.render.states import EFFECT_STYLES, EFFECT_WORDS, LOOKS
from freeloop.render.trace_lanes import axis_lines, lane_bars, shown_lanes
from freeloop.render.trace_words import (
    NO_FINDINGS,
    NO_STEPS,
    environment_line,
    how_text,
    lane_name,
    place_text,
    request_line,
    row_place,
    row_words,
    stamp_text,
    totals,
    transcript,
    warnings,
)

# From here on a row of the execution table fits on one line.
WIDE = 140
LANE_WIDTH = 14
# Longer tables scroll the findings away; the page shows all.
MOST_ROWS = 80


def render_trace(reading: Reading, console: Console, *, variables: bool = False) -> None:
    """Print one recorded request; with `variables`, each value that a line left behind too."""
    _show_head(reading, console)
    _show_totals(reading, console)
    _show_timeline(reading, console)
    _show_rows(reading, console)
    if variables:
        _show_variables(reading.trace, console)
    _show_findings(reading, console)


def _show_head(reading: Reading, console: Console) -> None:
    trace = reading.trace
    head = Text(request_line(trace.request), "bold", overflow="fold")
    head.append(f"  {ms_text(trace.duration_ns)} ms", "bold")
    show(console, head)
    show_row(console, Text(), Text(transcript(reading)), head_width=1)
    show_labelled(console, "run", how_text(trace.request), "red" if trace.request.error else "")
    show_labelled(console, "where", environment_line(trace))
    for text in warnings(trace):
        show_labelled(console, "warning", text, "yellow")
    show(console, "")


def _show_totals(reading: Reading, console: Console) -> None:
    show(console, Text.assemble(("totals", "bold"), ("  measured, this one request", "dim")))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=18, no_wrap=True)
    table.add_column(justify="right", no_wrap=True, min_width=9)
    table.add_column(overflow="fold")
    for label, number, remark in totals(reading):
        table.add_row(Text(f"  {label}"), Text(number, "bold"), Text(remark, "dim"))
    show(console, table)
    show(console, "")


def _show_timeline(reading: Reading, console: Console) -> None:
    ascii_only = "utf" not in console.encoding.lower()
    names = [lane_name(reading.trace, lane) for lane in shown_lanes(reading)]
    name_width = min(console.width // 4, max(map(len, names), default=0))
    room = console.width - name_width - 4
    show(console, Text.assemble(("timeline", "bold"), ("  ms since the request's start", "dim")))
    lines = [("", line) for line in axis_lines(reading, room, ascii_only=ascii_only)]
    bars = lane_bars(reading, room, ascii_only=ascii_only)
    for name, text in [*lines, *bars]:
        head = Text(f"  {_shortened(name, name_width)}".ljust(name_width + 4))
        show(console, Text.assemble(head, text, no_wrap=True))
    for state in dict.fromkeys(
        segment.state for lane in reading.timeline.lanes for segment in lane
    ):
        look = LOOKS[state]
        sign = (look.plain if ascii_only else look.sign) * 3
        said = Text.assemble((look.word, look.style), f": {look.means}")
        show_row(console, Text(f"  {sign}", look.style), said, head_width=6)
    show(console, "")


def _show_rows(reading: Reading, console: Console) -> None:
    show(console, Text("what happened", "bold"))
    items = list(folded(reading.trace, reading.rows))
    table = _wide_table if console.width >= WIDE else _narrow_table
    show(console, table(reading, items[:MOST_ROWS], console.width))
    if (left := len(items) - MOST_ROWS) > 0:
        show(console, Text(f"  and {left} more: --html FILE shows all", "dim"))
    show(console, "")


def _wide_table(reading: Reading, items: Sequence[Row | Folded], width: int) -> Table:
    table = _steps_table(width)
    table.add_column("file:line", overflow="fold", max_width=width // 4)
    table.add_column("what happened", overflow="fold", ratio=1)
    table.add_column("lane", no_wrap=True)
    table.add_column("blocking?", no_wrap=True)
    table.add_column("effect on others", no_wrap=True)
    for item in items:
        if isinstance(item, Folded):
            table.add_row(*_span(item), "", Text(item.words, "dim"), "", "", "")
            continue
        table.add_row(
            *_span(item),
            Text(row_place(reading.trace, item)),
            Text(row_words(reading, item)),
            Text(_shortened(lane_name(reading.trace, item.lane), LANE_WIDTH)),
            _blocking(item) if item.end_ns > item.start_ns else "",
            Text(EFFECT_WORDS[item.effect], EFFECT_STYLES[item.effect]),
        )
    return table


def _narrow_table(reading: Reading, items: Sequence[Row | Folded], width: int) -> Table:
    table = _steps_table(width)
    table.add_column("lane", no_wrap=True)
    table.add_column("what happened, file:line, blocking?, effect on others", ratio=1)
    for item in items:
        if isinstance(item, Folded):
            table.add_row(*_span(item), "", Text(item.words, "dim"))
            continue
        place = row_place(reading.trace, item)
        said = Text.assemble(row_words(reading, item), (f"  {place}" if place else "", "bold"))
        if item.effect is not Effect.NONE:
            said.append("\nblocking: ", "dim").append(_blocking(item)).append("; ", "dim")
            said.append(EFFECT_WORDS[item.effect], EFFECT_STYLES[item.effect])
        lane = _shortened(lane_name(reading.trace, item.lane), LANE_WIDTH)
        table.add_row(*_span(item), Text(lane), said)
    return table


def _steps_table(width: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", width=width)
    table.add_column("  step", justify="right", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("lasted", justify="right", no_wrap=True)
    return table


def _span(item: Row | Folded) -> tuple[str, str, str]:
    """Return step, time and duration."""
    if isinstance(item, Row):
        lasted_ns = item.end_ns - item.start_ns
        lasted = ms_text(lasted_ns) if lasted_ns else ""
        return str(item.number), stamp_text(item.start_ns), lasted
    first, last = item.rows[0], item.rows[-1]
    return (
        f"{first.number}-{last.number}",
        stamp_text(first.start_ns),
        ms_text(item.until_ns - first.start_ns),
    )


def _show_variables(trace: Trace, console: Console) -> None:
    show(console, Text("variables", "bold"))
    if not trace.steps:
        show(console, Text(f"  {NO_STEPS}"))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("      ms", justify="right", no_wrap=True)
    table.add_column("before line", overflow="fold", max_width=console.width // 3)
    table.add_column("variable", no_wrap=True, max_width=24)
    table.add_column("", no_wrap=True)
    table.add_column("value", overflow="fold")
    before: dict[tuple[int, str], str] = {}
    for step in trace.steps:
        for item in step.variables:
            known = before.get((step.frame, item.name))
            value = f"{known} -> {item.shown}" if item.change == "changed" and known else item.shown
            before[step.frame, item.name] = item.shown
            where = place_text(trace.places[step.place])
            table.add_row(
                stamp_text(step.at_ns),
                Text(where),
                Text(item.name, "bold"),
                item.change,
                Text(value),
            )
    if table.row_count:
        show(console, table)
    show(console, "")


def _show_findings(reading: Reading, console: Console) -> None:
    show(console, Text("findings", "bold"))
    if not reading.findings:
        show(console, Text(f"  {NO_FINDINGS}"))
    for finding in reading.findings:
        place = finding_place(reading.trace, finding)
        head = Text(place or "this request", "bold", overflow="fold")
        show(console, Text.assemble("  ", head))
        show_row(console, Text(), Text(finding_sentence(reading, finding)), head_width=3)
        if len(finding.places) > 1:
            chain = ", ".join(place_text(reading.trace.places[each]) for each in finding.places[1:])
            word = f"    {MORE_PLACES[finding.weakness]}"
            show_row(console, Text(word, "dim"), Text(chain), head_width=9)
        if finding.rows:
            steps = ", ".join(str(number) for number in finding.rows[:8])
            show_row(console, Text("    steps", "dim"), Text(steps), head_width=9)
        show_row(console, Text("    mend", "dim"), Text(mend_text(reading, finding)), head_width=9)
    show(console, "")


def _blocking(row: Row) -> Text:
    return Text("yes", "bold red") if row.blocking else Text("no", "dim")


def _shortened(text: str, width: int) -> str:
    """Return both ends of a text that is too long: of lanes of one name the end tells which."""
    if len(text) <= width:
        return text
    tail = 3 if text[-1].isdigit() else 0
    return f"{text[: width - 2 - tail]}..{text[len(text) - tail :]}"
