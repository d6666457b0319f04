"""`freeloop check`: where async code crashes, blocks the loop, or pays without gaining."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from freeloop.cli import exit_codes
from freeloop.cli.check_choice import Chosen, choosing
from freeloop.cli.check_output import FORMATS, print_findings, write_baseline


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--settings",
    metavar="MODULE",
    help="Django settings module, read and never run; default: as for the other commands.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="concise",
    help="What goes to standard output; full shows every step of a chain, and all findings.",
)
@click.option(
    "--with",
    "observed",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Trace (freeloop trace --output) or reports of watch (.jsonl): adds what was observed.",
)
@click.option(
    "--stack",
    is_flag=True,
    help="Show instead what each middleware costs; imports the project's settings and middleware.",
)
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="Show rare branches too, and what no known entry point reaches; they are counted else.",
)
@click.option("--diff", is_flag=True, help="Show the safe edits as a diff; nothing is written.")
@click.option("--fix", is_flag=True, help="Write the safe edits.")
@click.option(
    "--unsafe-fixes",
    "unsafe",
    is_flag=True,
    help="Ask for each other edit; with --diff, show those too.",
)
@click.option("--quiet", is_flag=True, help="One line for each finding, nothing else.")
@click.option("--no-cache", is_flag=True, help="Read every file anew, and keep nothing.")
@choosing
def check_command(
    paths: tuple[Path, ...],
    settings: str | None,
    form: str,
    observed: tuple[Path, ...],
    stack: bool,
    every: bool,
    diff: bool,
    fix: bool,
    unsafe: bool,
    quiet: bool,
    no_cache: bool,
    chosen: Chosen,
) -> None:
    """Read the project and list what crashes, blocks the event loop, or wastes, with the way to it.

    PATHS are what the findings should be about; the whole project without.
    """
    if paths and chosen.write_baseline is not None:
        raise click.UsageError("--write-baseline is about the whole project: name no PATHS")
    if stack:
        _show_stack(settings, form)
        return
    import gc

    from freeloop.api.checking import check_with_fixes

    # The process ends with the command: looking for cycles among all that was read gains nothing.
    gc.disable()
    check = partial(
        check_with_fixes,
        paths,
        start=Path.cwd(),
        settings=settings,
        choice=chosen.choice,
        use_cache=not no_cache,
    )
    if diff or fix or unsafe:
        from freeloop.cli.fixing import run_fixes

        found = run_fixes(check, diff=diff, fix=fix, unsafe=unsafe)
    else:
        found = check().findings
    if observed:
        from freeloop.api.observed import with_observed

        found = with_observed(found, observed)
    if chosen.write_baseline is not None:
        write_baseline(found, chosen.write_baseline, every=every)
        return
    found = chosen.without_known(found, whole=not paths)
    if not diff:  # which stands alone, so that a pipe can take it
        print_findings(found, form, every=every, quiet=quiet)
    counted = found.findings if every else [each for each in found.findings if not each.folded]
    if counted:
        raise click.exceptions.Exit(exit_codes.FINDINGS)


def _show_stack(settings: str | None, form: str) -> None:
    """Print what the project's middleware costs, layer by layer."""
    from rich.console import Console

    from freeloop.api import simulate_stack
    from freeloop.render.json_output import dump_stack
    from freeloop.render.stack_table import show_stack

    report = simulate_stack(settings=settings)
    if form == "json":
        click.echo(dump_stack(report))
    else:
        show_stack(report, Console())
