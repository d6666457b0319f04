"""The verdicts on the terminal: a line that the eye finds, its sentence, what speaks for it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from freeloop.model.run import PairResult, Run
from freeloop.render.console import A_STYLE, ANSWER_STYLES, B_STYLE, show, show_row
from freeloop.render.figures import by_pair
from freeloop.render.words import (
    ANSWER_SIGNS,
    OVERVIEW_HINT,
    evidence_lines,
    further_sentences,
    missing_line,
    neighbour_line,
    short_ratio,
    tally_words,
    verdict_sentence,
)

INDENT = 2
# From so many verdicts on their sentences no longer fit on one screen.
OVERVIEW_FROM = 6


def show_verdicts(run: Run, console: Console) -> None:
    """Print the verdicts alone; of many verdicts an overview last, where the screen stays."""
    groups = by_pair(run)
    widths = _Widths(run, console)
    for number, results in enumerate(groups):
        if number:
            show(console, "")
        _show_pair(results, widths, console)
    if len(run.pairs) >= OVERVIEW_FROM:
        show(console, "")
        _show_overview(groups, widths.pair, console)
    if len(run.pairs) > 1:
        show(console, "")
        show(console, Text(tally_words(run), "bold"))


class _Widths:
    """Columns that all headings share, so that the eye can run down them."""

    def __init__(self, run: Run, console: Console) -> None:
        self.load = max((len(_load(each)) for each in run.pairs), default=0)
        self.ratio = max((len(_ratio(each)) for each in run.pairs), default=0)
        basis = max((len(each.verdict.basis.value) for each in run.pairs), default=0)
        room = console.width - self.load - self.ratio - basis - 8
        longest = max((len(each.pair) for each in run.pairs), default=0)
        self.pair = max(8, min(longest, room))


def _show_pair(results: Sequence[PairResult], widths: _Widths, console: Console) -> None:
    said: set[str] = set()
    for number, result in enumerate(results):
        show(console, _heading(result, widths))
        if not number:
            _show_paths(result, console)
        show(console, Padding(Text(verdict_sentence(result)), (0, 0, 0, INDENT)))
        for line in evidence_lines(result):
            _show_point(console, line)
        for line in (missing_line(result), neighbour_line(result)):
            if line:
                show(console, Padding(Text(line), (0, 0, 0, INDENT)))
        for line in further_sentences(result):
            if line not in said:
                said.add(line)
                show(console, Padding(Text(line, "dim"), (0, 0, 0, INDENT)))


def _heading(result: PairResult, widths: _Widths) -> Table:
    style = ANSWER_STYLES[result.verdict.answer]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=widths.pair + 2, overflow="fold")
    table.add_column(width=widths.load, justify="right", no_wrap=True)
    table.add_column(width=widths.ratio, justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    named = Table.grid(padding=(0, 1, 0, 0))
    named.add_row(
        Text(ANSWER_SIGNS[result.verdict.answer], style),
        Text(result.pair, "bold", overflow="fold"),
    )
    basis = result.verdict.basis.value if result.verdict.effect else ""
    table.add_row(named, Text(_load(result)), Text(_ratio(result), style), Text(basis, "dim"))
    return table


def _show_paths(result: PairResult, console: Console) -> None:
    if result.a.path == result.b.path:
        head = Text.assemble(("A", A_STYLE), ", ", ("B", B_STYLE))
        show_row(console, head, Text(result.a.path, "dim"), head_width=4, indent=INDENT)
        return
    for letter, style, side in (("A", A_STYLE, result.a), ("B", B_STYLE, result.b)):
        head, path = Text(letter, style), Text(side.path, "dim")
        show_row(console, head, path, head_width=1, indent=INDENT)


def _show_point(console: Console, line: str) -> None:
    show_row(console, Text("-", "dim"), Text(line, "dim"), head_width=1, indent=INDENT)


def _show_overview(
    groups: Sequence[Sequence[PairResult]], pair_width: int, console: Console
) -> None:
    steps = sorted({result.concurrency for results in groups for result in results})
    cells = {
        (result.pair, result.concurrency): f"{ANSWER_SIGNS[result.verdict.answer]} "
        f"{short_ratio(result.verdict):>6}"
        for results in groups
        for result in results
    }
    styles = {
        (result.pair, result.concurrency): ANSWER_STYLES[result.verdict.answer]
        for results in groups
        for result in results
    }
    per_table = max(1, (console.width - pair_width) // 10)
    for start in range(0, len(steps), per_table):
        part = steps[start : start + per_table]
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=pair_width, overflow="fold")
        for _ in part:
            table.add_column(justify="right", no_wrap=True, min_width=8)
        table.add_row(Text("in flight", "dim"), *(Text(str(step), "dim") for step in part))
        for results in groups:
            keys = [(results[0].pair, step) for step in part]
            row = (Text(cells.get(key, ""), styles.get(key, "")) for key in keys)
            table.add_row(Text(results[0].pair), *row)
        show(console, table)
    show(console, Text(OVERVIEW_HINT, "dim"))


def _load(result: PairResult) -> str:
    return f"{result.concurrency} in flight"


def _ratio(result: PairResult) -> str:
    return short_ratio(result.verdict).removeprefix("~")
