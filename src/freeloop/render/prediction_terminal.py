"""A prediction on the terminal: bars for each deployment, verdicts, what-ifs."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from freeloop.model.prediction import Prediction
from freeloop.render.console import ANSWER_STYLES, show, show_labelled, show_row
from freeloop.render.prediction_words import (
    BASIS,
    MEANS,
    forecast_text,
    head,
    knee_text,
    limited_text,
    verdict_text,
    what_if_lines,
)

BAR_WIDTH = 20


def render_prediction(prediction: Prediction, console: Console) -> None:
    """Print what deployments would do."""
    show(console, Text(head(prediction), "bold", overflow="fold"))
    show_row(console, Text(), Text(f"{BASIS}; {MEANS}", "dim"), head_width=1)
    show(console, "")
    _show_bars(prediction, console)
    show(console, Text("queues", "bold"))
    for deployment in prediction.deployments:
        show(console, Text(f"  {deployment.name}", overflow="fold"))
        show_row(console, Text(), Text(knee_text(deployment)), head_width=3)
    show(console, "")
    _show_verdicts(prediction, console)
    _show_what_ifs(prediction, console)
    for note in prediction.notes:
        show_labelled(console, "note", note, "yellow")


def _show_bars(prediction: Prediction, console: Console) -> None:
    ascii_only = "utf" not in console.encoding.lower()
    for number in prediction.concurrency:
        show(console, Text(f"{number} in flight", "bold"))
        most = max(
            (each.at(number).rate_rps or 0.0 for each in prediction.deployments), default=0.0
        )
        for deployment in prediction.deployments:
            forecast = deployment.at(number)
            name = Text(f"  {deployment.name}", overflow="fold")
            show(console, name.append(f"  {limited_text(forecast)}", "dim"))
            bar = _bar(forecast.rate_rps or 0.0, most, ascii_only=ascii_only)
            show(console, Text.assemble("    ", (bar, "cyan"), f" {forecast_text(forecast)}"))
        show(console, "")


def _bar(value: float, most: float, *, ascii_only: bool) -> str:
    filled = round(BAR_WIDTH * value / most) if most else 0
    full, empty = ("#", ".") if ascii_only else ("█", "·")
    return full * filled + empty * (BAR_WIDTH - filled)


def _show_verdicts(prediction: Prediction, console: Console) -> None:
    if not prediction.verdicts:
        return
    show(console, Text("verdicts", "bold"))
    for judged in prediction.verdicts:
        style = ANSWER_STYLES[judged.verdict.answer]
        answer, colon, rest = verdict_text(judged).partition(":")
        text = Text.assemble((answer, style), colon, rest)
        show_row(console, Text(f"  {judged.question}", "dim"), text, head_width=10)
    show(console, "")


def _show_what_ifs(prediction: Prediction, console: Console) -> None:
    for what_if in prediction.what_ifs:
        show(console, Text.assemble(("what if  ", "dim"), (what_if.asked, "bold")))
        show_labelled(console, "on", what_if.before)
        for line in what_if_lines(what_if, prediction):
            show_row(console, Text(), Text(line), head_width=1, indent=1)
        show(console, "")
