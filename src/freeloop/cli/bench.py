"""`freeloop bench`: prove on real servers whether async helps."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from freeloop.cli import exit_codes
from freeloop.cli.options import ConcurrencyList, project_options, refuse_unwritable
from freeloop.errors import Interrupted

if TYPE_CHECKING:
    from rich.console import Console

    from freeloop.model.run import Run


@click.command("bench")
@click.argument("target", required=False)
@click.option(
    "--pair",
    nargs=2,
    metavar="OLD NEW",
    help="Two twins of one view: OLD on gunicorn threads against NEW on uvicorn.",
)
@click.option("--a", "side_a", metavar="ARM", help="Baseline: 'gunicorn:gthread threads=16 /old/'.")
@click.option(
    "--b",
    "side_b",
    metavar="ARM",
    help="Candidate: 'uvicorn /new/', or 'uvicorn relief /new/'.",
)
@click.option("--plan", "plan_file", type=click.Path(path_type=Path), help="TOML file of pairs.")
@click.option(
    "--requests",
    "requests_file",
    type=click.Path(path_type=Path),
    help="TOML file of requests; TARGET and --pair may then name them.",
)
@click.option(
    "--only", multiple=True, metavar="ID", help="With --plan: run this pair or race only."
)
@click.option("--neighbour", metavar="URL", help="A light request loaded beside both sides.")
@click.option("--user", metavar="NAME", help="Send every request with a session of this user.")
@click.option(
    "-c",
    "--concurrency",
    type=ConcurrencyList(),
    metavar="N,N",
    help="Requests in flight, each a measurement of its own; default 1,10,50.",
)
@click.option(
    "--max-rounds",
    type=click.IntRange(min=5),
    metavar="N",
    help="Rounds per side at the most; default 20.",
)
@click.option(
    "--aa",
    is_flag=True,
    help="Every side against itself: how often does this machine give a false verdict?",
)
@click.option("--allow-writes", is_flag=True, help="Permit other methods than GET and HEAD.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    help="What goes to standard output.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write JSON here.")
@click.option("--html", "html_file", type=click.Path(path_type=Path), help="Write a report here.")
@click.option(
    "--fail-if",
    "conditions",
    multiple=True,
    metavar="COND",
    help="End with 1 if true of any pair: hurts, 'p99 > 300ms', 'ratio < 0.9'.",
)
@click.option("-q", "--quiet", is_flag=True, help="Verdicts only, no progress.")
@project_options
def bench_command(
    target: str | None,
    pair: tuple[str, str] | None,
    side_a: str | None,
    side_b: str | None,
    plan_file: Path | None,
    requests_file: Path | None,
    only: tuple[str, ...],
    neighbour: str | None,
    user: str | None,
    concurrency: tuple[int, ...] | None,
    max_rounds: int | None,
    aa: bool,
    allow_writes: bool,
    form: str,
    json_file: Path | None,
    html_file: Path | None,
    conditions: tuple[str, ...],
    quiet: bool,
    settings: str | None,
    python: str | None,
) -> None:
    """Serve the project on real servers, load it, and say whether async helps.

    TARGET is a path (/reports/) or a view name (reports:list): the same view on gunicorn threads
    against uvicorn. To compare two twins of a view give --pair, two deployments --a and --b.
    """
    from rich.console import Console

    from freeloop.api import BenchOptions, bench
    from freeloop.judge.conditions import parse_condition
    from freeloop.judge.replay import MOST_FALSE, false_verdicts, recordings_of
    from freeloop.render.progress import LiveProgress
    from freeloop.render.words import false_verdicts_sentence
    from freeloop.source.choose import Asked, against_itself, choose_plan

    gates = [parse_condition(text) for text in conditions]
    refuse_unwritable(json_file)
    refuse_unwritable(html_file)
    plan = choose_plan(
        Asked(
            target=target,
            pair=pair,
            sides=(side_a, side_b),
            plan_file=plan_file,
            requests_file=requests_file,
            only=only,
            neighbour=neighbour,
            user=user,
            concurrency=concurrency,
        )
    )
    if aa:
        plan = against_itself(plan)
    out, err = Console(), Console(stderr=True)
    options = BenchOptions(
        allow_writes=allow_writes,
        max_rounds=None if aa else max_rounds,
        all_rounds=aa,
        command="freeloop " + shlex.join(sys.argv[1:]),
    )
    with LiveProgress(err, quiet=quiet) as progress:
        run = bench(
            plan,
            settings=settings,
            python=python,
            options=options,
            progress=progress,
            announce=progress.print,
        )
    _deliver(run, out, form=form, json_file=json_file, html_file=html_file, quiet=quiet)
    if not run.complete:
        raise Interrupted
    for line in run.refused:
        err.print(f"not measured: {line}", markup=False)
    if aa:
        seen = false_verdicts(recordings_of(run))
        (err if form == "json" else out).print(false_verdicts_sentence(seen), markup=False)
        if seen.bound > MOST_FALSE:
            raise click.exceptions.Exit(exit_codes.FINDINGS)
    met = [(gate.text, result) for gate in gates for result in run.pairs if gate.holds(result)]
    for text, result in met:
        err.print(f"--fail-if {text}: true of {result.pair} at {result.concurrency}", markup=False)
    if met:
        raise click.exceptions.Exit(exit_codes.FINDINGS)
    if run.refused:
        raise click.exceptions.Exit(exit_codes.WRONG_USE)


def _deliver(
    run: Run,
    out: Console,
    *,
    form: str,
    json_file: Path | None,
    html_file: Path | None,
    quiet: bool,
) -> None:
    from freeloop.render.html.report import write_report
    from freeloop.render.json_output import dump_run
    from freeloop.render.terminal import show_run
    from freeloop.render.verdict_list import show_verdicts

    if json_file is not None:
        json_file.write_text(dump_run(run), encoding="utf-8")
    if html_file is not None:
        write_report(run, html_file)
    if form == "json":
        click.echo(dump_run(run))
    elif quiet:
        show_verdicts(run, out)
    else:
        show_run(run, out)
    if html_file is not None and form != "json":
        click.echo(f"report: {html_file.resolve()}")
