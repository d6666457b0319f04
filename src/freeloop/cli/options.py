"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from freeloop.errors import FreeloopError

Decorated = Callable[..., Any]


def project_options(command: Decorated) -> Decorated:
    """Add `--settings` and `--python`: which project, run by which interpreter."""
    command = click.option(
        "--python",
        metavar="PATH",
        help="Interpreter or virtual environment that the project runs in; default: this one.",
    )(command)
    return click.option(
        "--settings",
        metavar="MODULE",
        help="Django settings module; default: DJANGO_SETTINGS_MODULE, pyproject.toml, manage.py.",
    )(command)


def refuse_unwritable(path: Path | None) -> None:
    """Refuse an output that cannot be written before minutes of work, not after."""
    if path is None:
        return
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise FreeloopError(
            "cannot-write",
            what=f"cannot write {path}",
            where=f"{path} is a directory" if path.is_dir() else f"no directory {path.parent}",
            mend="name a file in a directory that exists",
        )


class ConcurrencyList(click.ParamType[tuple[int, ...]]):
    """Comma-separated positive numbers, such as 1,10,50."""

    name = "N,N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return sorted, distinct numbers."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(sorted({int(part) for part in str(value).split(",")}))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers such as 1,10,50", param, ctx)
        if numbers[0] < 1 or numbers[-1] > MOST_CONCURRENT:
            self.fail(f"{value!r}: each must be from 1 to {MOST_CONCURRENT}", param, ctx)
        return numbers


MOST_CONCURRENT = 2000
