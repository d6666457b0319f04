"""The project to be read: its root, its settings module, and the graph of its code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from freeloop.errors import FreeloopError
from freeloop.knowledge.blocking import Knowledge
from freeloop.model.finding import Unread
from freeloop.source.code.cache import cache_of, read_all, without_collection
from freeloop.source.code.deployment import read_deployment
from freeloop.source.code.files import find_files
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Index
from freeloop.source.code.program import Program
from freeloop.source.code.settings import read_settings
from freeloop.source.code.summary import UNREADABLE
from freeloop.source.project import find_manage, find_root, name_settings, read_options

# Names are followed through calls; deep chains of them need more than Python's thousand frames.
FRAMES = 20_000


@dataclass(frozen=True, slots=True)
class Code:
    """A project's code, read.

    Attributes:
        graph: Answers questions.
        files: How many files were read.
        unread: Those that could not be.
        asked: Files that the user named; all of the project's without a name.
        root: Directory that the project imports from.
        notes: What makes the answers weaker.
    """

    graph: Graph
    files: int
    unread: tuple[Unread, ...]
    asked: frozenset[str]
    root: Path
    notes: tuple[str, ...]


def read_code(
    start: Path,
    paths: Sequence[Path],
    *,
    settings: str | None,
    use_cache: bool = True,
    leaves_out: Callable[[str], bool] | None = None,
    knowledge: Sequence[Path] = (),
    overlay: Mapping[str, bytes] | None = None,
) -> Code:
    """Return the code of the project at or around a directory.

    Names lead across files, so the whole project is read, also when some paths are named.

    Args:
        start: Where freeloop was called.
        paths: What the findings should be about; all of it when empty.
        settings: Settings module; found as `find_project` does when None.
        use_cache: Whether to read and write the summaries of the last run.
        leaves_out: Tells of an absolute path whether the file is not to be read.
        knowledge: The user's data files of blocking functions.
        overlay: Content of files by path, in place of that on the disk.

    Raises:
        FreeloopError: If a path does not exist, or the named settings module does not.
    """
    root, module, notes = _where(start, paths, settings)
    # From above its manage.py a project may hold more, such as a bot beside the site.
    roots = [root, start] if root.is_relative_to(start) and _is_project(start) else [root]
    asked = find_files(paths, *roots) if paths else []
    whole = [each for each in dict.fromkeys(roots) if _is_project(each)]
    files = {file.path: file for file in find_files(whole, *roots)}
    files.update((file.path, file) for file in asked if file.path not in files)
    if not files:
        files = {file.path: file for file in find_files([root], root)}
    ordered = [files[path] for path in sorted(files) if not (leaves_out and leaves_out(path))]
    with deep_calls():
        kept = read_all(ordered, cache_of(root) if use_cache else None, overlay)
    index = Index(ordered, kept)
    if settings and settings not in index:
        raise FreeloopError(
            "no-settings-module",
            what=f"there is no settings module {settings}",
            where=f"looked below {root}",
            mend="name it as Django does: --settings shop.settings",
        )
    program = Program(index, Knowledge(knowledge))
    unread = tuple(
        kept[file.path].unread(_shown(file.path, start))
        for file in ordered
        if kept[file.path].flags & UNREADABLE
    )
    return Code(
        Graph(program, read_settings(index, module), start, read_deployment(root), root),
        len(ordered),
        unread,
        frozenset(file.path for file in (asked if paths else ordered)),
        root,
        notes,
    )


@contextmanager
def deep_calls() -> Iterator[None]:
    """Allow deep recursion while names are followed, and do not search them for cycles."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        with without_collection():
            yield
    finally:
        sys.setrecursionlimit(before)


def _where(
    start: Path, paths: Sequence[Path], settings: str | None
) -> tuple[Path, str, tuple[str, ...]]:
    """Return the root to import from, the settings module, and notes."""
    near = start
    if paths and find_manage(start, must_be_one=False) is None:
        first = paths[0].absolute()
        near = first if first.is_dir() else first.parent
    manage = find_manage(near, must_be_one=False)
    options, options_file = read_options(start)
    try:
        module, _ = name_settings(settings, options, options_file, manage, near)
    except FreeloopError as unknown:
        if unknown.slug not in ("no-settings", "manage-unclear"):
            raise
        note = (
            "no settings module was found: caches and sessions are taken for Django's defaults;"
            " --settings names it"
        )
        return (manage.parent if manage else near), "", (note,)
    return find_root(near, module, manage), module, ()


def _is_project(root: Path) -> bool:
    """Tell whether a directory is worth reading as a whole, and is not someone's home."""
    return (root / "manage.py").is_file() or any(
        (root / name).exists() for name in ("pyproject.toml", "setup.py", "setup.cfg", ".git")
    )


def _shown(path: str, start: Path) -> str:
    here = f"{start}{os.sep}"
    return path.removeprefix(here)
