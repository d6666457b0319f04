"""Options of `freeloop check` that pyproject.toml may also set, and the settings below them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from freeloop.api.choice import Choice
from freeloop.model.finding import Findings
from freeloop.rules.registry import refuse_unknown
from freeloop.source.check_settings import CheckSettings, read_check_settings

FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is asked, and what is done with what is known.

    Attributes:
        choice: Rules and files.
        baseline: File of known findings; None without one.
        write_baseline: File to write instead of showing findings.
    """

    choice: Choice
    baseline: Path | None
    write_baseline: Path | None

    def without_known(self, found: Findings, *, whole: bool) -> Findings:
        """Return what the baseline does not have.

        Args:
            found: All of it.
            whole: Whether the whole project was asked; only then is what is missing gone.
        """
        if self.baseline is None:
            return found
        from freeloop.api.baselines import compare

        asked = [rule.id for rule in self.choice.rules()] if whole else []
        return compare(found, self.baseline, asked)


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options, and give the command one `chosen` in place of them.

    An option replaces the key of pyproject.toml; `--no-baseline` leaves that one out.
    """

    @click.option(
        "--select",
        multiple=True,
        metavar="RULE",
        help="Ask only this rule, by id or name; may be given several times.",
    )
    @click.option(
        "--ignore",
        multiple=True,
        metavar="RULE",
        help="Do not ask this rule, by id or name; may be given several times.",
    )
    @click.option(
        "--knowledge",
        multiple=True,
        metavar="FILE",
        type=FILE,
        help="TOML file of functions that block, beside those that freeloop knows.",
    )
    @click.option(
        "--baseline",
        metavar="FILE",
        type=FILE,
        help="Known findings: counted, not shown, and without a say in the exit code.",
    )
    @click.option("--no-baseline", is_flag=True, help="Show what the baseline of the project has.")
    @click.option(
        "--write-baseline",
        metavar="FILE",
        type=FILE,
        help="Write what would be shown as known findings, and end with 0.",
    )
    @functools.wraps(command)
    def collected(
        *,
        select: tuple[str, ...],
        ignore: tuple[str, ...],
        knowledge: tuple[Path, ...],
        baseline: Path | None,
        no_baseline: bool,
        write_baseline: Path | None,
        **rest: Any,
    ) -> None:
        written = read_check_settings(Path.cwd())
        _refuse_unknown_rules(written)
        choice = Choice(
            select=select or written.select,
            ignore=ignore or written.ignore,
            per_file_ignores=written.per_file_ignores,
            exclude=written.exclude,
            base=written.base,
            knowledge=knowledge or written.knowledge,
        )
        known = None if no_baseline else baseline or written.baseline
        command(chosen=Chosen(choice, known, write_baseline), **rest)

    return collected


def _refuse_unknown_rules(written: CheckSettings) -> None:
    refuse_unknown(written.select, f"{written.where}.select")
    refuse_unknown(written.ignore, f"{written.where}.ignore")
    for pattern, names in written.per_file_ignores:
        refuse_unknown(names, f"{written.where}.per-file-ignores.{pattern}")
