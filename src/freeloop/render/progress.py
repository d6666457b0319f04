"""Live progress of a long measurement, on stderr alone."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from freeloop.model.progress import Step
from freeloop.render.figures import left_text

BAR_WIDTH = 30


class LiveProgress:
    """Shows each `Step` it is called with; it is a `model.progress.Progress`.

    On a terminal one live block that leaves no trace; elsewhere one plain line whenever the title
    changes; nothing when quiet. Standard output is never touched.
    """

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self._console = console or Console(stderr=True)
        self._quiet = quiet
        self._live: Live | None = None
        self._title = ""

    def __call__(self, step: Step) -> None:
        """Show the step in place of the one before."""
        if self._quiet:
            return
        if self._live is not None:
            self._live.update(block(step))
        elif step.title and step.title != self._title:
            line = f"{_percent(step)}  {step.title}  about {left_text(step.left_s)} left"
            self._console.out(line, highlight=False)
        self._title = step.title

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._quiet:
            self._live = Live(
                console=self._console,
                transient=True,
                refresh_per_second=4,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def block(step: Step) -> Group:
    """Return the live block: title, what runs, what is known so far, bar and time left."""
    bar = Table.grid(padding=(0, 2, 0, 0))
    share = min(1.0, max(0.0, step.done))
    bar.add_row(
        ProgressBar(total=1.0, completed=share, width=BAR_WIDTH),
        Text(_percent(step)),
        Text(f"about {left_text(step.left_s)} left", "dim"),
    )
    lines: list[Text | Table] = [
        Text.assemble((step.title, "bold"), "  " if step.title else "", step.doing)
    ]
    if step.known:
        lines.append(Text(step.known, "cyan"))
    for line in lines:
        if isinstance(line, Text):
            line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*lines, bar)


def _percent(step: Step) -> str:
    return f"{min(1.0, max(0.0, step.done)):4.0%}"
