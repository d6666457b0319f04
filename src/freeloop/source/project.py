"""Find the user's Django project: its root, its settings, its interpreter."""

from __future__ import annotations

import ast
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from freeloop.errors import FreeloopError
from freeloop.source.fields import Table
from freeloop.source.interpreter import find_interpreter, probe_interpreter, require_usable

VARIABLE = "DJANGO_SETTINGS_MODULE"
OPTIONS = ("settings", "python")
# Folders whose manage.py is somebody else's.
NO_PROJECT = frozenset({"node_modules", "site-packages", ".venv", "venv"})


@dataclass(frozen=True, slots=True)
class Project:
    """A Django project that can be questioned and served.

    Attributes:
        root: Directory that goes on `sys.path`; absolute.
        settings: Settings module, such as "shop.settings".
        python: Interpreter that runs the project; absolute, links unresolved.
        named_by: Where the settings module was named, such as "manage.py".
    """

    root: Path
    settings: str
    python: Path
    named_by: str = ""


def find_project(start: Path, *, settings: str | None, python: str | None) -> Project:
    """Return the project at or around a directory.

    The settings module is the first of: `settings`, DJANGO_SETTINGS_MODULE, `[tool.freeloop]` of
    pyproject.toml, manage.py.

    Raises:
        FreeloopError: If there is none, if it is ambiguous, or if the interpreter cannot run it.
    """
    start = start.absolute()
    options, options_file = read_options(start)
    named = settings or os.environ.get(VARIABLE) or options.get("settings")
    manage = find_manage(start, must_be_one=not named)
    module, named_by = name_settings(settings, options, options_file, manage, start)
    base = Path.cwd() if python is not None or options_file is None else options_file.parent
    interpreter = find_interpreter(python or options.get("python"), base=base)
    require_usable(probe_interpreter(interpreter))
    return Project(find_root(start, module, manage), module, interpreter, named_by)


def read_options(start: Path) -> tuple[Mapping[str, str], Path | None]:
    """Return the texts in `[tool.freeloop]` of the nearest pyproject.toml, and that file."""
    table = options_table(start)
    if table is None:
        return {}, None
    return {key: table.required_text(key) for key in OPTIONS if key in table.values}, table.file


def options_table(start: Path) -> Table | None:
    """Return `[tool.freeloop]` of the nearest pyproject.toml that has one; its keys are known.

    Raises:
        FreeloopError: If the file is no TOML, the table is none, or a key is unknown.
    """
    for directory in upwards(start):
        file = directory / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            document = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise FreeloopError(
                "pyproject-syntax",
                what=f"pyproject.toml is not valid TOML: {error}",
                where=str(file),
                mend="correct the line named above",
            ) from error
        tool = Table(file, "", document).table("tool")
        if "freeloop" in tool.values:
            table = tool.table("freeloop")
            table.only(*OPTIONS, "check")
            return table
    return None


def name_settings(
    settings: str | None,
    options: Mapping[str, str],
    options_file: Path | None,
    manage: Path | None,
    start: Path,
) -> tuple[str, str]:
    """Return the settings module and what named it."""
    if settings:
        return settings, "--settings"
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE], VARIABLE
    if "settings" in options:
        return options["settings"], str(options_file)
    if manage is not None:
        return settings_of_manage(manage), str(manage)
    raise FreeloopError(
        "no-settings",
        what="cannot find the Django settings",
        where=f"looked in {VARIABLE} (not set); [tool.freeloop] in pyproject.toml (none); "
        f"manage.py (none in {start}, above it, or one level below)",
        mend="run inside the project, or: --settings shop.settings",
    )


def find_manage(start: Path, *, must_be_one: bool = True) -> Path | None:
    """Return manage.py here or above, else the only one below, at most three levels down."""
    for directory in upwards(start):
        file = directory / "manage.py"
        if file.is_file():
            return file
    below = _manage_below(start) if start.is_dir() else []
    if len(below) > 1 and must_be_one:
        raise FreeloopError(
            "several-projects",
            what=f"{len(below)} Django projects below {start}",
            where=", ".join(str(file.relative_to(start)) for file in below),
            mend=f"run inside one of them: cd {below[0].parent.name}",
        )
    return below[0] if len(below) == 1 else None


def _manage_below(start: Path) -> list[Path]:
    """Return the manage.py files of the highest level that has any: "src/backend/manage.py"."""
    for level in ("*/manage.py", "*/*/manage.py", "*/*/*/manage.py"):
        found = sorted(
            file
            for file in start.glob(level)
            if not NO_PROJECT & set(file.relative_to(start).parts)
        )
        if found:
            return found
    return []


def settings_of_manage(file: Path) -> str:
    """Return the settings module that manage.py names, read without running it."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise FreeloopError(
            "manage-unclear",
            what=f"manage.py cannot be parsed: {error}",
            where=str(file),
            mend="name the settings: --settings shop.settings",
        ) from error
    names = list(dict.fromkeys(named_in(tree)))
    if len(names) == 1:
        return names[0]
    raise FreeloopError(
        "manage-unclear",
        what=f"manage.py names {len(names)} settings modules that can be read, one is needed",
        where=f"{file}: {', '.join(names) or f'no {VARIABLE} with a plain text value'}",
        mend=f"name the settings: --settings {names[0] if names else 'shop.settings'}",
    )


def named_in(tree: ast.AST) -> Iterator[str]:
    """Yield modules from `environ.setdefault(VARIABLE, ...)` and `environ[VARIABLE] = ...`."""
    for node in sorted(ast.walk(tree), key=lambda node: getattr(node, "lineno", 0)):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="setdefault"), args=[ast.Constant(value=key), value]
            ) if key == VARIABLE:
                yield from literal(value)
            case ast.Assign(
                targets=[ast.Subscript(slice=ast.Constant(value=key))], value=value
            ) if key == VARIABLE:
                yield from literal(value)


def literal(value: ast.expr) -> Iterator[str]:
    """Yield plain text, or the plain default of a lookup such as `getenv("X", "shop.settings")`."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Call(args=[ast.Constant(), ast.Constant(value=str(text))]):
            yield text
        case _:
            return


def find_root(start: Path, module: str, manage: Path | None) -> Path:
    """Return the directory from which the settings module can be imported."""
    top = module.partition(".")[0]
    candidates = [manage.parent] if manage else []
    for directory in upwards(start):
        candidates += [directory, directory / "src"]
    candidates += [file.parent for file in sorted(start.glob("*/manage.py"))]
    for directory in candidates:
        if (directory / top).is_dir() or (directory / f"{top}.py").is_file():
            return directory
    return manage.parent if manage else start


def upwards(start: Path) -> Iterator[Path]:
    """Yield a directory and those above it, up to the root of its repository."""
    for directory in (start, *start.parents):
        yield directory
        if (directory / ".git").exists():
            return
