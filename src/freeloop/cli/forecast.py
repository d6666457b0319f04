"""`freeloop trace --predict`: the part of the command that loads and predicts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from freeloop.model.request import RequestSpec
    from freeloop.model.trace import Trace


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options that belong to --predict."""

    concurrency: tuple[int, ...]
    what_ifs: tuple[str, ...]
    twin: str | None
    threads: int

    @classmethod
    def of(
        cls,
        concurrency: tuple[int, ...],
        what_ifs: tuple[str, ...],
        twin: str | None,
        threads: int,
    ) -> Self:
        """Return the options; a misspelt change is refused before anything runs."""
        from freeloop.api.changes import parse_changes

        for text in what_ifs:
            parse_changes(text)
        return cls(concurrency, what_ifs, twin, threads)


def forecast(
    request: RequestSpec,
    recorded: Trace,
    wanted: Wanted,
    *,
    settings: str | None,
    python: str | None,
    allow_writes: bool,
    form: str,
    html_file: Path | None,
) -> None:
    """Predict from a recorded request, and print and write what was predicted."""
    from freeloop.api import predict, read
    from freeloop.render.progress import LiveProgress

    with LiveProgress() as progress:
        found = predict(
            request,
            settings=settings,
            python=python,
            concurrency=wanted.concurrency,
            threads=wanted.threads,
            what_ifs=wanted.what_ifs,
            twin=wanted.twin,
            recorded=recorded,
            allow_writes=allow_writes,
            progress=progress,
        )
    if form == "json":
        from freeloop.model.prediction_codec import dump_prediction

        click.echo(dump_prediction(found, recorded.environment))
    else:
        from rich.console import Console

        from freeloop.render.prediction_terminal import render_prediction

        render_prediction(found, Console())
    if html_file is not None:
        from freeloop.render.html.trace import write_trace_page

        write_trace_page(read(recorded), html_file, found)
        click.echo(f"page: {html_file.resolve()}", err=form == "json")
