"""What relief takes off a request, as an aligned table; what was counted below it."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from freeloop.model.relief import Count, Explanation, ReliefReport
from freeloop.relief.explanation import Piece
from freeloop.render.console import show
from freeloop.render.relief_words import (
    CONFIRM,
    CURE,
    LEGEND,
    MODE_WORDS,
    USUAL,
    agreement,
    cost_text,
    count_sentence,
    difference_sentence,
    doubts,
    notes,
    piece_name,
    status_sentence,
    sums,
    title,
)

NOTE_INDENT = 4
LONGEST_NAME = 56
MODE_WIDTH = 10
CELL_WIDTH = 12
# Below this width the notes go under the rows; above it there is room beside them.
WIDE = 100


def show_relief(report: ReliefReport, console: Console) -> None:
    """Print the table, the sums, what was counted, and what to do next."""
    said = report.explanation
    show(console, Text(title(said), "bold"))
    show(console, Text(f"{USUAL} Computed from the installed code.", "dim"))
    for doubt in doubts(said):
        show(console, Text(f"! {doubt}", "yellow"))
    show(console, "")
    if console.width >= WIDE:
        _show_wide(said, console)
    else:
        _show_narrow(said, console)
    show(console, "")
    show(console, Text(LEGEND, "dim"))
    if report.count is not None:
        show(console, "")
        _show_count(report.count, said, console)
    show(console, "")
    show(console, Text(CURE if report.count else CONFIRM, "dim"))


def show_sums(report: ReliefReport, console: Console) -> None:
    """Print one line for each kind of view, and what was counted."""
    for line in sums(report.explanation):
        show(console, Text(line, "bold"))
    if report.count is not None:
        _show_count(report.count, report.explanation, console)


def _show_wide(said: Explanation, console: Console) -> None:
    """Print the notes beside the rows."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", overflow="fold", max_width=LONGEST_NAME)
    table.add_column("mode", no_wrap=True)
    table.add_column("async view", justify="right", no_wrap=True)
    table.add_column("sync view", justify="right", no_wrap=True)
    table.add_column("", overflow="fold", ratio=1)
    for piece in said.pieces:
        said_of_it = Text("\n").join(Text(each, "dim") for each in notes(piece))
        table.add_row(Text(_name(piece)), MODE_WORDS[piece.mode], *_cells(piece), said_of_it)
    table.add_section()
    for name, cells in _totals(said):
        table.add_row(Text(name, "bold"), "", *(Text(each, "bold") for each in cells))
    show(console, table)


def _show_narrow(said: Explanation, console: Console) -> None:
    """Print the notes below the rows, over the whole width."""
    room = console.width - MODE_WIDTH - 2 * CELL_WIDTH
    width = min(room, max(len(_name(piece)) for piece in said.pieces) + 2)
    show(console, _row("", "mode", (Text("async view"), Text("sync view")), width))
    show(console, Text("─" * (width + MODE_WIDTH + 2 * CELL_WIDTH)))
    for piece in said.pieces:
        show(console, _row(_name(piece), MODE_WORDS[piece.mode], _cells(piece), width))
        for note in notes(piece):
            show(console, Padding(Text(note, "dim"), (0, 0, 0, NOTE_INDENT)))
    show(console, "")
    for name, cells in _totals(said):
        show(console, _row(name, "", tuple(Text(each) for each in cells), width, "bold"))


def _row(name: str, mode: str, cells: tuple[Text, ...], width: int, style: str = "") -> Text:
    # A name that is too long has a line of its own.
    head = name.ljust(width) if len(name) < width else f"{name}\n{' ' * width}"
    row = Text(head + mode.ljust(MODE_WIDTH), style)
    for cell in cells:
        row.append(" " * (CELL_WIDTH - len(cell)))
        row.append(cell)
    return row


def _name(piece: Piece) -> str:
    return f"{piece_name(piece)}{', threads' if _is_about_threads(piece) else ''}"


def _cells(piece: Piece) -> tuple[Text, ...]:
    of = "threads" if _is_about_threads(piece) else "hops"
    return tuple(
        Text(cost_text(cost, of), "green" if cost.is_less else "")
        for cost in (piece.async_view, piece.sync_view)
    )


def _totals(said: Explanation) -> tuple[tuple[str, tuple[str, str]], ...]:
    return tuple(
        (f"{of}, computed", (cost_text(said.async_view, of), cost_text(said.sync_view, of)))
        for of in ("hops", "threads")
    )


def _is_about_threads(piece: Piece) -> bool:
    charges = (piece.async_view.stock, piece.sync_view.stock)
    return any(each is not None and each.threads for each in charges)


def _show_count(count: Count, said: Explanation, console: Console) -> None:
    show(console, Text(count_sentence(count), "bold"))
    cost = said.async_view if count.view_is_async else said.sync_view
    for name, computed, counted, differ in (
        ("stock", cost.stock, count.stock, count.stock_differences),
        ("relieved", cost.relieved, count.relieved, count.relieved_differences),
    ):
        show(console, Text(f"  {agreement(name, computed, counted, len(differ))}"))
        for each in differ:
            line = Text(difference_sentence(each), "dim")
            show(console, Padding(line, (0, 0, 0, NOTE_INDENT)))
    if unusual := status_sentence(count):
        show(console, Text(f"  ! {unusual}", "yellow"))
