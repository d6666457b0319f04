"""How lines reach the terminal: without markup, plain when piped, wrapped under their own text."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from freeloop.model.verdict import Answer

ANSWER_STYLES = {
    Answer.HELPS: "bold green",
    Answer.NO_DIFFERENCE: "bold",
    Answer.HURTS: "bold red",
    Answer.UNKNOWN: "bold yellow",
}
A_STYLE, B_STYLE = "yellow", "cyan"


def show(console: Console, thing: RenderableType) -> None:
    """Print without markup, and without the spaces that rich puts at the ends of lines."""
    if console.is_terminal:
        console.print(thing, highlight=False, markup=False, emoji=False)
        return
    with console.capture() as captured:
        console.print(thing, highlight=False, markup=False, emoji=False)
    for line in captured.get().splitlines():
        console.out(line.rstrip(), highlight=False)


def show_labelled(console: Console, label: str, text: str, style: str = "") -> None:
    """Print a label, and the text beside it."""
    show_row(console, Text(f"  {label}", "dim"), Text(text, style), head_width=10)


def show_row(console: Console, head: Text, text: Text, *, head_width: int, indent: int = 0) -> None:
    """Print the head, and the text beside it; wrapped lines stay under the text."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=head_width, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(head, text)
    show(console, Padding(table, (0, 0, 0, indent)) if indent else table)
