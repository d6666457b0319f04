"""Runs, errors and checks on the terminal: plain and aligned when piped, coloured when not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from freeloop.errors import FreeloopError
from freeloop.model.check import Check, CheckState
from freeloop.model.run import PairResult, RaceLane, RaceResult, Run, SideResult
from freeloop.model.verdict import Answer, Interval, Verdict
from freeloop.render.comparison import LEGEND, comparison
from freeloop.render.console import A_STYLE, ANSWER_STYLES, B_STYLE, show, show_labelled
from freeloop.render.figures import by_pair, ratio_text, seconds_text
from freeloop.render.verdict_list import show_verdicts
from freeloop.render.words import (
    ANSWER_SIGNS,
    ANSWER_WORDS,
    CHECK_SIGNS,
    CUT_SHORT,
    NOTHING,
    QUESTION_WORDS,
    arm_name,
    contention_sentence,
    cores_sentence,
    level_text,
    package_words,
    view_words,
)

CHECK_STYLES = {
    CheckState.OK: "green",
    CheckState.WARNING: "yellow",
    CheckState.MISSING: "yellow",
    CheckState.BROKEN: "bold red",
}
# Distribution -> the word for it beside the version of Python.
NAMED_PACKAGES = {"django": "Django", "asgiref": "asgiref"}
LABEL_WIDTH = 24
CELL_WIDTH = 8
LONGEST_BAR = 40


def show_run(run: Run, console: Console) -> None:
    """Print the run: where it was made, a table per pair, races, notes, and verdicts last."""
    _show_header(run, console)
    for results in by_pair(run):
        _show_pair(results, console)
    for race in run.races:
        _show_race(race, console)
    if run.pairs:
        show(console, Text(LEGEND, style="dim"))
    for note in run.notes:
        show_labelled(console, "note", note)
    if not run.complete:
        show(console, Text(CUT_SHORT, style="bold yellow"))
    if not run.pairs and not run.races:
        show(console, Text(NOTHING))
    if run.pairs:
        show(console, "")
        show_verdicts(run, console)
        if run.environment.command:
            show(console, "")
            show_labelled(console, "repeat", run.environment.command)


def show_error(error: FreeloopError, console: Console) -> None:
    """Print an error: what is wrong with its slug, where, and how to mend it."""
    slug = f"[{error.slug}]"
    first = Text.assemble(("freeloop: ", "bold"), (error.what, "bold red"))
    room = console.width - len(slug) - 2
    if first.cell_len <= room:
        first.append(" " * (room - first.cell_len + 2))
        first.append(slug, "dim")
        show(console, first)
    else:
        show(console, first)
        show(console, Text(f"  {slug}", "dim"))
    for label, text in (("where", error.where), ("mend", error.mend)):
        if text:
            show_labelled(console, label, text)


def show_checks(checks: Sequence[Check], console: Console) -> None:
    """Print the rows of the doctor, each with its state in words and what mends it."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        state = Text(f"{CHECK_SIGNS[check.state]} {check.state.value}", CHECK_STYLES[check.state])
        table.add_row(state, Text(check.name, "bold"), Text(check.detail))
        if check.mend:
            table.add_row("", Text("mend", "dim"), Text(check.mend))
    show(console, table)


def _show_header(run: Run, console: Console) -> None:
    known = run.environment
    packages = [
        f"{word} {known.packages[name]}"
        for name, word in NAMED_PACKAGES.items()
        if name in known.packages
    ]
    show(console, Text(f"freeloop {known.freeloop}", "bold"))
    for database in known.databases or ("none configured, or not known",):
        show_labelled(console, "database", database)
    show_labelled(console, "python", ", ".join((known.python, *packages)))
    if servers := package_words(run, leave_out=NAMED_PACKAGES):
        show_labelled(console, "packages", ", ".join(servers))
    show_labelled(console, "machine", f"{known.platform}, started {known.started}")
    show_labelled(console, "cores", cores_sentence(run))
    if (warning := contention_sentence(run)) is not None:
        show_labelled(console, "warning", warning, "yellow")
    show(console, "")


def _show_pair(results: Sequence[PairResult], console: Console) -> None:
    first = results[0]
    title = Text.assemble((first.pair, "bold"), "  ", (QUESTION_WORDS[first.question], "dim"))
    show(console, title)
    _show_side(console, "A", A_STYLE, [result.a for result in results])
    _show_side(console, "B", B_STYLE, [result.b for result in results])
    per_table = max(1, (console.width - LABEL_WIDTH) // (2 * CELL_WIDTH))
    for start in range(0, len(results), per_table):
        show(console, _pair_table(results[start : start + per_table]))
    show(console, "")


def _show_side(console: Console, letter: str, style: str, sides: Sequence[SideResult]) -> None:
    deployments = " / ".join(dict.fromkeys(arm_name(side.arm) for side in sides))
    seen = sides[0]
    text = Text.assemble(
        (letter, f"bold {style}"), f"  {deployments}  {seen.path}  ", (view_words(seen), "dim")
    )
    show(console, text)
    blocked = {
        side.observed.blocked_at for side in sides if side.observed and side.observed.blocked_at
    }
    for place in sorted(blocked):
        show(console, Text(f"   loop held at {place}"))
    failures: dict[str, int] = {}
    for side in sides:
        for reason, count in side.failures.items():
            failures[reason] = failures.get(reason, 0) + count
    for reason, count in failures.items():
        show(console, Text(f"   failed: {reason}, {count} times", "red"))


def _pair_table(results: Sequence[PairResult]) -> Table:
    # The box parts columns by one space. Padding is 0: rich 13 and 15 pad the last column unlike.
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False)
    table.add_column("in flight", no_wrap=True, min_width=LABEL_WIDTH - 1)
    for result in results:
        for letter, style in (("A", A_STYLE), ("B", B_STYLE)):
            table.add_column(
                Text(f"{result.concurrency} {letter}", f"bold {style}"),
                justify="right",
                no_wrap=True,
                min_width=CELL_WIDTH - 1,
            )
    group = ""
    for row in comparison(results):
        if row.group != group:
            group = row.group
            table.add_row(Text(group, "dim italic"))
        cells = (Text(cell) for couple in row.cells for cell in couple)
        table.add_row(Text(f"  {row.label}"), *cells)
    table.add_row(Text("verdict", "dim italic"))
    for label, text in _VERDICT_ROWS:
        shown = [
            cell
            for result in results
            for cell in (Text(), Text(text(result.verdict), ANSWER_STYLES[result.verdict.answer]))
        ]
        table.add_row(Text(f"  {label}"), *shown)
    return table


def _ratio(verdict: Verdict, pick: Callable[[Interval], float]) -> str:
    return "?" if verdict.effect is None else f"{ratio_text(pick(verdict.effect))}x"


_VERDICT_ROWS: tuple[tuple[str, Callable[[Verdict], str]], ...] = (
    ("B / A", lambda verdict: _ratio(verdict, lambda effect: effect.ratio)),
    ("from", lambda verdict: _ratio(verdict, lambda effect: effect.low)),
    ("to", lambda verdict: _ratio(verdict, lambda effect: effect.high)),
    ("interval", lambda verdict: level_text(verdict.effect) if verdict.effect else "-"),
    ("rounds a side", lambda verdict: str(verdict.rounds)),
    ("answer", lambda verdict: _short_answer(verdict.answer)),
)


def _short_answer(answer: Answer) -> str:
    words = "same" if answer is Answer.NO_DIFFERENCE else ANSWER_WORDS[answer]
    return words if answer is Answer.UNKNOWN else f"{ANSWER_SIGNS[answer]} {words}"


def _show_race(race: RaceResult, console: Console) -> None:
    slowest = max((lane.last_ms or 0.0 for lane in race.lanes), default=0.0)
    show(
        console,
        Text.assemble(
            (race.race, "bold"),
            ("  race: one burst of ", "dim"),
            (f"{race.burst} requests, seen once, no verdict", "dim"),
        ),
    )
    solid = "\u2588" if "utf" in console.encoding.lower() else "#"
    details = [_lane_detail(lane, race.burst) for lane in race.lanes]
    bar_width = console.width - 12 - max(map(len, details), default=0)
    bar_width = max(4, min(LONGEST_BAR, bar_width))
    for lane, detail in zip(race.lanes, details, strict=True):
        name = Text.assemble(arm_name(lane.arm), "  ", (lane.path, "dim"), overflow="fold")
        show(console, Padding(name, (0, 0, 0, 2)))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=6, no_wrap=True, justify="right")
        table.add_column(width=bar_width, no_wrap=True)
        table.add_column(overflow="fold")
        last = Text(seconds_text(lane.last_ms) if lane.answered else "none", "bold")
        table.add_row(last, Text(solid * _bar_length(lane, slowest, bar_width)), Text(detail))
        show(console, Padding(table, (0, 0, 0, 2)))
    show(console, "")


def _bar_length(lane: RaceLane, slowest_ms: float, longest: int) -> int:
    if lane.last_ms is None or slowest_ms <= 0:
        return 0
    return max(1, round(longest * lane.last_ms / slowest_ms))


def _lane_detail(lane: RaceLane, burst: int) -> str:
    limit = "" if lane.thread_limit is None else f", limit {lane.thread_limit}"
    first = f", first {seconds_text(lane.first_ms)}" if lane.first_ms is not None else ""
    return f"{lane.answered}/{burst}{first}, {lane.threads} threads{limit}"
