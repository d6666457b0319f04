"""What running workers reported, as a table for a terminal of any width, or as plain lines."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from freeloop.model.watched import Overview, Report, Worker, WorstLine
from freeloop.watch.sinks.groups import key_of
from freeloop.watch.sinks.labels import shown_route
from freeloop.watch.sinks.sentence import printable, short
from freeloop.watch.stretch import Frame, is_project

# From here on the route has a column of its own.
WIDE = 110
# Rows around those of the lines: title, head, workers' title, foot.
OTHER_ROWS = 7
FEWEST_LINES = 5
MOST_WORKERS_SHOWN = 8
NOBODY = "nobody's code: the host did not run it"

_FIGURES = ("total", "times", "p99", "max", "last")
_FIGURE_WIDTHS = (8, 6, 8, 8, 4)
CAUSE_WIDTH = 16
_STYLES = {"block": "red", "hidden": "yellow", "host": "dim"}


def table(overview: Overview, *, width: int, height: int | None = None) -> RenderableType:
    """Return the overview; as many lines as fit into the height, all of them if None."""
    parts: list[RenderableType] = [_title(overview)]
    workers = overview.workers[:MOST_WORKERS_SHOWN]
    if overview.lines:
        per_line = 1 if width >= WIDE else 2
        room = len(overview.lines)
        if height is not None:
            notes = len(overview.unreadable) + len(overview.absent)
            rows = height - OTHER_ROWS - len(workers) - notes
            room = max(FEWEST_LINES, rows // per_line)
        root = _root(line.line for line in overview.lines)
        layout = _wide if width >= WIDE else _narrow
        parts.append(layout(overview.lines[:room], overview.at, root, width))
        if len(overview.lines) > room:
            parts.append(Text(f"and {len(overview.lines) - room} lines more", "dim"))
    elif not overview.absent:
        parts.append(Text("no report so far: no loop was held longer than the threshold"))
    if workers:
        parts += [Text(), _workers(workers, overview.at)]
        if more := len(overview.workers) - len(workers):
            parts.append(Text(f"and {more} workers more", "dim"))
    parts += [Text(note, "yellow") for note in notes_of(overview)]
    return Group(*parts)


def notes_of(overview: Overview) -> list[str]:
    """Return what could not be read, one line for each file."""
    return [
        *(
            f"{each.file}: {_many(each.count, 'line')} without a report, the first: {each.first}"
            for each in overview.unreadable
        ),
        *(f"{file}: not there yet" for file in overview.absent),
    ]


def plain_line(report: Report) -> str:
    """Return one report as a line of text, for pipes and logs."""
    stretch = report.stretch
    at = dt.datetime.fromtimestamp(stretch.started).astimezone().isoformat(timespec="milliseconds")
    line = key_of(stretch).line
    parts = [at, f"pid {report.pid or '?'}", f"{stretch.ms:.1f} ms", stretch.cause.value]
    parts.append(_where(line, stretch.callee, Path.cwd()) if line else NOBODY)
    if stretch.route is not None:
        parts.append(f"route {printable(shown_route(stretch.route))}")
    return "  ".join(parts)


def _title(overview: Overview) -> Text:
    seconds = overview.held_ms / 1000
    workers = len(overview.workers)
    return Text.assemble(
        ("freeloop watch", "bold"),
        f"  {_many(overview.reports, 'report')} of {_many(workers, 'worker')}",
        f", loop held {seconds:,.1f} s in all (measured)",
        no_wrap=True,
        overflow="crop",
    )


def _wide(lines: Sequence[WorstLine], at: float, root: Path, width: int) -> Table:
    found = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False, expand=True)
    for name, cells in zip(_FIGURES, _FIGURE_WIDTHS, strict=True):
        found.add_column(name, justify="right", no_wrap=True, min_width=cells)
    found.add_column("cause", no_wrap=True, min_width=CAUSE_WIDTH)
    found.add_column("where", ratio=3, no_wrap=True, overflow="ignore")
    found.add_column("route", ratio=2, no_wrap=True, overflow="ignore")
    left = width - sum(_FIGURE_WIDTHS) - CAUSE_WIDTH - 8
    space = left * 3 // 5
    for line in lines:
        found.add_row(
            *_figures(line, at),
            Text(line.cause, _STYLES[line.kind]),
            Text(_place(line, root, space)),
            Text(_cut(_route(line), left - space)),
        )
    return found


def _narrow(lines: Sequence[WorstLine], at: float, root: Path, width: int) -> Group:
    """Give two rows to each line: the place needs the whole width."""
    heads = (name.rjust(cells) for name, cells in zip(_FIGURES, _FIGURE_WIDTHS, strict=True))
    rows = [Text(f"{' '.join(heads)} {'cause':<{CAUSE_WIDTH}} route", "bold")]
    for line in lines:
        cells = zip(_figures(line, at), _FIGURE_WIDTHS, strict=True)
        figures = " ".join(figure.rjust(size) for figure, size in cells)
        cause = (f" {line.cause:<{CAUSE_WIDTH}} ", _STYLES[line.kind])
        space = width - sum(_FIGURE_WIDTHS) - CAUSE_WIDTH - len(_FIGURES) - 1
        rows.append(Text.assemble(figures, cause, _cut(_route(line), space)))
        rows.append(Text("  " + _place(line, root, width - 2)))
    return Group(*rows)


def _figures(line: WorstLine, at: float) -> tuple[str, ...]:
    return (
        _ms(line.total_ms),
        f"{line.count:,}",
        _ms(line.p99_ms),
        _ms(line.max_ms),
        _ago(at - line.last),
    )


def _route(line: WorstLine) -> str:
    return "-" if line.route is None else printable(shown_route(line.route))


def _workers(workers: Sequence[Worker], at: float) -> Table:
    found = Table.grid(padding=(0, 2, 0, 0))
    for name in ("worker", "held in 1 min", "longest", "threads", "last", "pools"):
        found.add_column(Text(name, "bold"), no_wrap=True)
    found.show_header = True
    for worker in workers:
        found.add_row(
            Text(f"pid {worker.pid}"),
            Text(f"{worker.held_share:.1%}"),
            Text(_ms(worker.longest_ms) if worker.longest_ms else "-"),
            Text("?" if worker.threads is None else f"{worker.threads}"),
            Text(_ago(at - worker.last)),
            Text(_pools(worker) or "-"),
        )
    return found


def _pools(worker: Worker) -> str:
    return ", ".join(
        f"{alias} {pool.used}/{pool.most}" + (f" +{pool.waiting} waiting" if pool.waiting else "")
        for alias, pool in sorted(worker.pools.items())
    )


def _place(line: WorstLine, root: Path, width: int) -> str:
    if line.cause == "many":
        return "lines beyond the number that is kept"
    if line.line is None:
        return NOBODY if line.kind == "host" else "no stack was taken"
    whole = _where(line.line, line.callee, root)
    if len(whole) > width:
        whole = _where(line.line, None, root)
    return _cut(whole, width)


def _where(frame: Frame, callee: str | None, root: Path) -> str:
    file, line, function = frame
    called = "" if callee in (None, function) else f" > {callee}"
    return printable(f"{short(file, str(root))}:{line} {function}{called}")


def _root(lines: Iterable[Frame | None]) -> Path:
    """Return where the project lies: here, or above all of its lines that were reported."""
    here = Path.cwd()
    folders = {Path(line[0]).parent for line in lines if line and is_project(line[0])}
    if not folders or any(folder.is_relative_to(here) for folder in folders):
        return here
    try:
        common = Path(os.path.commonpath(folders))
        return common if len(folders) > 1 else common.parent
    except ValueError:  # some absolute, some not
        return here


def _cut(text: str, width: int) -> str:
    """Cut from the left: the end of a place says more than its directories."""
    return text if len(text) <= width else "..." + text[len(text) - width + 3 :]


def _ms(ms: float) -> str:
    if ms >= 10_000:
        return f"{ms / 1000:,.1f} s"
    return f"{ms:,.0f} ms"


def _ago(seconds: float) -> str:
    seconds = max(0.0, seconds)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" + ("" if count == 1 else "s")
