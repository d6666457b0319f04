"""Runs, errors and checks on the terminal: plain and aligned when piped, coloured when not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from freeloop.errors import FreeloopError
from freeloop.model.check import Check, CheckState
from freeloop.model.run import PairResult, RaceLane, RaceResult, Run, SideResult
from freeloop.model.verdict import Answer, Interval, Verdict
from freeloop.render.comparison import LEGEND, comparison
from freeloop.render.figures import by_pair, ratio_text, seconds_text
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
    further_sentences,
    level_text,
    verdict_sentence,
    view_words,
)

ANSWER_STYLES = {
    Answer.HELPS: "bold green",
    Answer.NO_DIFFERENCE: "bold",
    Answer.HURTS: "bold red",
    Answer.UNKNOWN: "bold yellow",
}
CHECK_STYLES = {
    CheckState.OK: "green",
    CheckState.WARNING: "yellow",
    CheckState.MISSING: "yellow",
    CheckState.BROKEN: "bold red",
}
A_STYLE, B_STYLE = "yellow", "cyan"
# Distribution -> the word for it beside the version of Python.
NAMED_PACKAGES = {"django": "Django", "asgiref": "asgiref"}
LABEL_WIDTH = 24
CELL_WIDTH = 8
BAR_WIDTH = 24


def show_run(run: Run, console: Console) -> None:
    """Print the run: where it was made, a table per pair, races, notes, and verdicts last."""
    _show_header(run, console)
    for results in by_pair(run):
        _show_pair(results, console)
    for race in run.races:
        _show_race(race, console)
    if run.pairs:
        _print(console, Text(LEGEND, style="dim"))
    for note in run.notes:
        _show_labelled(console, "note", note)
    if not run.complete:
        _print(console, Text(CUT_SHORT, style="bold yellow"))
    if not run.pairs and not run.races:
        _print(console, Text(NOTHING))
    show_verdicts(run, console)


def show_error(error: FreeloopError, console: Console) -> None:
    """Print an error: what is wrong with its slug, where, and how to mend it."""
    slug = f"[{error.slug}]"
    first = Text.assemble(("freeloop: ", "bold"), (error.what, "bold red"))
    room = console.width - len(slug) - 2
    if first.cell_len <= room:
        first.append(" " * (room - first.cell_len + 2))
        first.append(slug, "dim")
        _print(console, first)
    else:
        _print(console, first)
        _print(console, Text(f"  {slug}", "dim"))
    for label, text in (("where", error.where), ("mend", error.mend)):
        if text:
            _show_labelled(console, label, text)


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
    _print(console, table)


def _show_header(run: Run, console: Console) -> None:
    known = run.environment
    packages = [
        f"{word} {known.packages[name]}"
        for name, word in NAMED_PACKAGES.items()
        if name in known.packages
    ]
    servers = [
        f"{name} {version}"
        for name, version in known.packages.items()
        if name not in NAMED_PACKAGES
    ]
    _print(console, Text(f"freeloop {known.freeloop}", "bold"))
    for database in known.databases or ("none configured, or not known",):
        _show_labelled(console, "database", database)
    _show_labelled(console, "python", ", ".join((known.python, *packages)))
    if servers:
        _show_labelled(console, "packages", ", ".join(servers))
    _show_labelled(console, "machine", f"{known.platform}, started {known.started}")
    _show_labelled(console, "cores", cores_sentence(run))
    if (warning := contention_sentence(run)) is not None:
        _show_labelled(console, "warning", warning, "yellow")
    _print(console, "")


def _show_pair(results: Sequence[PairResult], console: Console) -> None:
    first = results[0]
    title = Text.assemble((first.pair, "bold"), "  ", (QUESTION_WORDS[first.question], "dim"))
    _print(console, title)
    _show_side(console, "A", A_STYLE, [result.a for result in results])
    _show_side(console, "B", B_STYLE, [result.b for result in results])
    per_table = max(1, (console.width - LABEL_WIDTH) // (2 * CELL_WIDTH))
    for start in range(0, len(results), per_table):
        _print(console, _pair_table(results[start : start + per_table]))
    _print(console, "")


def _show_side(console: Console, letter: str, style: str, sides: Sequence[SideResult]) -> None:
    deployments = " / ".join(dict.fromkeys(arm_name(side.arm) for side in sides))
    seen = sides[0]
    text = Text.assemble(
        (letter, f"bold {style}"), f"  {deployments}  {seen.path}  ", (view_words(seen), "dim")
    )
    _print(console, text)
    blocked = {
        side.observed.blocked_at for side in sides if side.observed and side.observed.blocked_at
    }
    for place in sorted(blocked):
        _print(console, Text(f"   loop held at {place}"))
    failures: dict[str, int] = {}
    for side in sides:
        for reason, count in side.failures.items():
            failures[reason] = failures.get(reason, 0) + count
    for reason, count in failures.items():
        _print(console, Text(f"   failed: {reason}, {count} times", "red"))


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
    _print(
        console,
        Text.assemble(
            (race.race, "bold"),
            ("  race: one burst of ", "dim"),
            (f"{race.burst} requests, seen once, no verdict", "dim"),
        ),
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold", max_width=26 if console.width < 100 else 44)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    solid = "\u2588" if "utf" in console.encoding.lower() else "#"
    for lane in race.lanes:
        table.add_row(
            Text(f"{arm_name(lane.arm)}\n{lane.path}", overflow="fold"),
            Text(seconds_text(lane.last_ms) if lane.answered else "none", "bold"),
            Text(f"{_bar(lane, slowest, solid)}\n{_lane_detail(lane, race.burst)}"),
        )
    _print(console, Padding(table, (0, 0, 0, 2)))
    _print(console, "")


def _bar(lane: RaceLane, slowest_ms: float, solid: str) -> str:
    if lane.last_ms is None or slowest_ms <= 0:
        return "no answer"
    return solid * max(1, round(BAR_WIDTH * lane.last_ms / slowest_ms))


def _lane_detail(lane: RaceLane, burst: int) -> str:
    limit = "" if lane.thread_limit is None else f", limit {lane.thread_limit}"
    first = f", first {seconds_text(lane.first_ms)}" if lane.first_ms is not None else ""
    return f"{lane.answered}/{burst}{first}, {lane.threads} threads{limit}"


def show_verdicts(run: Run, console: Console) -> None:
    """Print the verdict sentences alone."""
    _print(console, "")
    for results in by_pair(run):
        said: list[str] = []
        for result in results:
            answer = result.verdict.answer
            style = ANSWER_STYLES[answer]
            sentence = Text.assemble((result.pair, style), ": ", verdict_sentence(result))
            _show_row(console, Text(ANSWER_SIGNS[answer], style), sentence, head_width=1)
            for further in further_sentences(result):
                if further not in said:
                    said.append(further)
                    _show_row(console, Text(""), Text(further), head_width=1)
    if run.environment.command and run.pairs:
        _print(console, "")
        _show_labelled(console, "repeat", run.environment.command)


def _show_labelled(console: Console, label: str, text: str, style: str = "") -> None:
    _show_row(console, Text(f"  {label}", "dim"), Text(text, style), head_width=10)


def _show_row(console: Console, head: Text, text: Text, *, head_width: int) -> None:
    """Print the head, and the text beside it; wrapped lines stay under the text."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=head_width, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(head, text)
    _print(console, table)


def _print(console: Console, thing: RenderableType) -> None:
    """Print without markup, and without the spaces that rich puts at the ends of lines."""
    if console.is_terminal:
        console.print(thing, highlight=False, markup=False, emoji=False)
        return
    with console.capture() as captured:
        console.print(thing, highlight=False, markup=False, emoji=False)
    for line in captured.get().splitlines():
        console.out(line.rstrip(), highlight=False)
