"""`freeloop relief`: what relief takes off an async request of this project, and what not."""

from __future__ import annotations

import click

from freeloop.cli.options import project_options


@click.command("relief")
@click.option(
    "--explain",
    is_flag=True,
    help="Compute hops and threads of a request, stock and relieved, from the installed code.",
)
@click.option(
    "--count",
    "url",
    metavar="URL",
    help="Also GET a path or view name, inside the project's interpreter, and count.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="What goes to standard output.",
)
@click.option("-q", "--quiet", is_flag=True, help="The sums only.")
@project_options
def relief_command(
    explain: bool,
    url: str | None,
    form: str,
    quiet: bool,
    settings: str | None,
    python: str | None,
) -> None:
    """Show what relief leaves out for this project's middleware, what it leaves alone, and why.

    Nothing is changed. --explain runs no request and opens no database; --count runs four GETs: one
    to warm up and one to count, stock and relieved.
    """
    from rich.console import Console

    from freeloop.api import explain_relief
    from freeloop.render.json_output import dump_relief
    from freeloop.render.relief_table import show_relief, show_sums

    if not explain:
        raise click.UsageError("say what to do: freeloop relief --explain [--count URL]")
    err = Console(stderr=True)
    report = explain_relief(
        url,
        settings=settings,
        python=python,
        announce=lambda line: err.print(line, markup=False, highlight=False),
    )
    if form == "json":
        click.echo(dump_relief(report))
    elif quiet:
        show_sums(report, Console())
    else:
        show_relief(report, Console())
