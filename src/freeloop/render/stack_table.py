"""The middleware stack on the terminal: each layer with its cost, then what would cost less."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from freeloop.model.stack import HOLDING, Piece, StackReport
from freeloop.render.console import show
from freeloop.render.relief_words import MODE_WORDS, doubts, piece_name
from freeloop.render.stack_words import LEGEND, advice, layer_ms, title, total

LONGEST_NAME = 56


def show_stack(report: StackReport, console: Console) -> None:
    """Print the layers from the outside in, the sums, and the advice."""
    said = report.simulation
    show(console, Text(title(report), "bold"))
    for doubt in doubts(said.explanation):
        show(console, Text(f"! {doubt}", "yellow"))
    show(console, "")
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("layer", overflow="fold", max_width=LONGEST_NAME)
    table.add_column("mode", no_wrap=True)
    for name in ("hops", "with relief", "ms"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("thread", no_wrap=True)
    for piece in said.explanation.pieces:
        table.add_row(*_cells(report, piece))
    show(console, table)
    show(console, "")
    for view in ("async", "sync"):
        show(console, Text(total(report, view), "bold"))
    show(console, "")
    for sentence in advice(report):
        show(console, sentence)
    show(console, "")
    show(console, Text(LEGEND, "dim"))


def _cells(report: StackReport, piece: Piece) -> tuple[str, ...]:
    cost = piece.async_view
    known = cost.stock is not None and cost.relieved is not None
    hops = (cost.stock.hops, cost.relieved.hops) if cost.stock and cost.relieved else (0, 0)
    numbers = tuple(str(each) if each else "-" for each in hops) if known else ("?", "?")
    holds = "held" if piece.mode in HOLDING else ""
    if cost.stock is not None and cost.stock.threads:
        holds = f"{cost.stock.threads} started"
    return (piece_name(piece), MODE_WORDS[piece.mode], *numbers, layer_ms(report, piece), holds)
