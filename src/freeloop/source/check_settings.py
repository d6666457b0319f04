"""`[tool.freeloop.check]` of pyproject.toml: what every `freeloop check` of a project should do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from freeloop.source.project import options_table

KEYS = ("select", "ignore", "per-file-ignores", "exclude", "baseline", "knowledge")


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """What the table says; empty for what it does not.

    Attributes:
        base: Directory that its paths and patterns start from; absolute.
        where: Key of the table, for messages.
        select: Rules to ask.
        ignore: Rules not to ask.
        per_file_ignores: Pattern and the rules that do not count in the files that it means.
        exclude: Patterns of files that are not read.
        baseline: File of known findings.
        knowledge: Data files of blocking functions.
    """

    base: Path
    where: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()
    baseline: Path | None = None
    knowledge: tuple[Path, ...] = field(default=())


def read_check_settings(start: Path) -> CheckSettings:
    """Return the settings of the nearest pyproject.toml that has a `[tool.freeloop]`.

    Args:
        start: Where freeloop was called.

    Raises:
        FreeloopError: If a key is unknown or its value has a wrong type.
    """
    options = options_table(start.absolute())
    if options is None:
        return CheckSettings(start.absolute())
    table = options.table("check")
    table.only(*KEYS)
    base = table.file.parent
    ignores = table.table("per-file-ignores")
    baseline = table.required_text("baseline") if "baseline" in table.values else None
    return CheckSettings(
        base=base,
        where=f"{table.file}: {table.path}",
        select=table.texts("select"),
        ignore=table.texts("ignore"),
        per_file_ignores=tuple((name, ignores.texts(name)) for name in ignores.values),
        exclude=table.texts("exclude"),
        baseline=None if baseline is None else base / baseline,
        knowledge=tuple(base / name for name in table.texts("knowledge")),
    )
