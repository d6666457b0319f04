"""`freeloop trace`: what happens inside one request of the project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freeloop.cli.forecast import Wanted, forecast
from freeloop.cli.options import ConcurrencyList, project_options, refuse_unwritable
from freeloop.errors import FreeloopError

if TYPE_CHECKING:
    from freeloop.model.request import RequestSpec
    from freeloop.model.trace import Trace

FILE = click.Path(path_type=Path)


@click.command("trace")
@click.argument("target", required=False)
@click.option("--requests", "requests_file", type=FILE, help="TOML file; TARGET names one of it.")
@click.option("--user", metavar="NAME", help="Send the request with a session of this user.")
@click.option("--open", "opened", type=FILE, help="Show the trace in this file; nothing runs.")
@click.option("-o", "--output", type=FILE, help="Write the trace here; .gz compresses it.")
@click.option("--html", "html_file", type=FILE, help="Write a page to step through here.")
@click.option("--perfetto", type=FILE, help="Write it for ui.perfetto.dev or speedscope here.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="What goes to standard output.",
)
@click.option("--wsgi", is_flag=True, help="Through the WSGI handler instead of the ASGI one.")
@click.option("--relief", is_flag=True, help="With freeloop.relief installed.")
@click.option("--variables", is_flag=True, help="Print each value that a line left behind too.")
@click.option("--no-lines", is_flag=True, help="Leave out the steps line by line.")
@click.option("--no-warm-up", is_flag=True, help="Record the very first request of a process.")
@click.option("--allow-writes", is_flag=True, help="Permit other methods than GET and HEAD.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Stop a request that takes longer.",
)
@click.option(
    "--leave-after",
    "leave_after_s",
    type=click.FloatRange(min=0.0),
    metavar="SECONDS",
    help="Let the client close the connection then.",
)
@click.option("--predict", is_flag=True, help="Then load it in short bursts, and predict.")
@click.option(
    "--concurrency",
    type=ConcurrencyList(),
    default="50,200",
    show_default=True,
    metavar="N,N",
    help="With --predict: requests in flight.",
)
@click.option(
    "--what-if",
    "what_ifs",
    multiple=True,
    metavar="CHANGE",
    help="With --predict: awaited, gathered, offloaded, relief, pool=N, connections=N, threads=N; "
    "joined by +.",
)
@click.option("--twin", metavar="TARGET", help="With --predict: its sync or async version.")
@click.option(
    "--threads",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="With --predict: of the smaller gthread deployment.",
)
@project_options
def trace_command(
    target: str | None,
    requests_file: Path | None,
    user: str | None,
    opened: Path | None,
    output: Path | None,
    html_file: Path | None,
    perfetto: Path | None,
    form: str,
    wsgi: bool,
    relief: bool,
    variables: bool,
    no_lines: bool,
    no_warm_up: bool,
    allow_writes: bool,
    timeout_s: float,
    leave_after_s: float | None,
    predict: bool,
    concurrency: tuple[int, ...],
    what_ifs: tuple[str, ...],
    twin: str | None,
    threads: int,
    settings: str | None,
    python: str | None,
) -> None:
    """Run one request through the project's own handler and show what happens inside.

    TARGET is a path (/reports/), a view name (reports:list) or the name of a request in --requests.
    """
    from freeloop.api import trace
    from freeloop.model.trace_codec import read_trace, write_trace

    if target is None and opened is None:
        raise FreeloopError(
            "nothing-to-trace",
            what="nothing is named to trace",
            where="the command line",
            mend="give a path or view name (freeloop trace /reports/), or --open FILE",
        )
    if target is not None and opened is not None:
        raise FreeloopError(
            "two-ways",
            what="TARGET and --open exclude one another",
            where="the command line",
            mend="give one of them: --open runs nothing",
        )
    wanted = Wanted.of(concurrency, what_ifs, twin, threads) if predict else None
    if wanted is not None and (opened is not None or wsgi or relief):
        raise FreeloopError(
            "predict-alone",
            what="--predict loads the project as it is",
            where="--open, --wsgi, --relief",
            mend="leave them out: WSGI and relief are predicted beside the rest",
        )
    if wanted is None and (what_ifs or twin):
        raise FreeloopError(
            "predict-missing",
            what="--what-if and --twin belong to a prediction",
            where="the command line",
            mend="add --predict",
        )
    for file in (output, html_file, perfetto):
        refuse_unwritable(file)
    if opened is not None:
        found = read_trace(opened)
    else:
        assert target is not None  # checked above
        request = _request(target, requests_file, user)
        found = trace(
            request,
            settings=settings,
            python=python,
            allow_writes=allow_writes,
            lines=not no_lines,
            interface="wsgi" if wsgi else "asgi",
            relief=relief,
            warm_up=not no_warm_up,
            timeout_s=timeout_s,
            leave_after_s=leave_after_s,
            announce=lambda line: click.echo(line, err=True),
        )
    if output is not None:
        write_trace(found, output)
    if wanted is None:
        _deliver(found, form=form, variables=variables, html_file=html_file, perfetto=perfetto)
        return
    # A page that shows the prediction as well is written when there is one, and of two JSON texts
    # on one output nobody could read either: the trace has --output.
    _deliver(
        found,
        form=form,
        variables=variables,
        html_file=None,
        perfetto=perfetto,
        silent=form == "json",
    )
    forecast(
        request,
        found,
        wanted,
        settings=settings,
        python=python,
        allow_writes=allow_writes,
        form=form,
        html_file=html_file,
    )


def _request(target: str, requests_file: Path | None, user: str | None) -> RequestSpec:
    from freeloop.source.requests import parse_target, read_requests

    known = {each.name: each for each in read_requests(requests_file)} if requests_file else {}
    request = known.get(target) or parse_target(target)
    return replace(request, user=request.user or user)


def _deliver(
    trace: Trace,
    *,
    form: str,
    variables: bool,
    html_file: Path | None,
    perfetto: Path | None,
    silent: bool = False,
) -> None:
    from freeloop.api import read
    from freeloop.model.trace_codec import dump_trace

    if perfetto is not None:
        from freeloop.render.perfetto import perfetto_trace

        perfetto.write_text(perfetto_trace(trace), encoding="utf-8")
    if html_file is not None:
        from freeloop.render.html.trace import write_trace_page

        write_trace_page(read(trace), html_file)
    if silent:
        return
    if form == "json":
        click.echo(dump_trace(trace))
        return
    from rich.console import Console

    from freeloop.render.trace_terminal import render_trace

    render_trace(read(trace), Console(), variables=variables)
    for name, file in (("page", html_file), ("perfetto", perfetto)):
        if file is not None:
            click.echo(f"{name}: {file.resolve()}")
