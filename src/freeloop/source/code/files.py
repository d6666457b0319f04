"""Which files belong to the project, and the dotted name of each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from freeloop.errors import FreeloopError

# Folders that hold other people's code, or no code.
LEFT_OUT = frozenset({"node_modules", "__pycache__", "site-packages", "__pypackages__"})


@dataclass(frozen=True, slots=True)
class CodeFile:
    """A Python file.

    Attributes:
        path: Absolute.
        module: Dotted name that the project imports it by.
        package: Dotted name that its relative imports start from.
    """

    path: str
    module: str
    package: str


def find_files(paths: Sequence[Path], *roots: Path) -> list[CodeFile]:
    """Return the Python files at and below some paths, in the order of their names.

    Args:
        paths: Files and directories.
        roots: Directories from which the project imports.

    Raises:
        FreeloopError: `no-such-path`.
    """
    named = _Names([str(root) for root in roots])
    found: dict[str, CodeFile] = {}
    for path in paths:
        if not path.exists():
            raise FreeloopError(
                "no-such-path",
                what=f"there is no {path}",
                where=str(Path.cwd()),
                mend="name files and directories that exist; without any, the project is read",
            )
        top = os.path.abspath(path)  # noqa: PTH100 - links stay as the user wrote them
        files = [top] if path.is_file() else _below(top, named)
        for file in files:
            if file not in found:
                found[file] = named.file(file)
    return [found[file] for file in sorted(found)]


def _below(top: str, named: _Names) -> Iterator[str]:
    waiting = [top]
    while waiting:
        directory = waiting.pop()
        try:
            with os.scandir(directory) as entries:
                inside = {entry.name: entry for entry in entries}
        except OSError:
            continue
        if "pyvenv.cfg" in inside and directory != top:
            continue
        named.seen(directory, is_package="__init__.py" in inside)
        for name, entry in inside.items():
            if name.endswith(".py"):
                if entry.is_file():
                    yield entry.path
            elif (
                "." not in name[:1] and name not in LEFT_OUT and entry.is_dir(follow_symlinks=False)
            ):
                waiting.append(entry.path)


class _Names:
    """Names modules by the directories above them."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._packages = dict.fromkeys(roots, "")
        self._has_init: dict[str, bool] = {}
        self._roots = tuple(f"{root}/" for root in roots)

    def seen(self, directory: str, *, is_package: bool) -> None:
        """Remember whether a directory has an `__init__.py`."""
        self._has_init[directory] = is_package

    def file(self, path: str) -> CodeFile:
        directory, _, name = path.rpartition("/")
        package = self._package(directory)
        stem = name.removesuffix(".py")
        if stem == "__init__":
            return CodeFile(path, package or directory.rpartition("/")[2], package)
        return CodeFile(path, f"{package}.{stem}" if package else stem, package)

    def _package(self, directory: str) -> str:
        known = self._packages.get(directory)
        if known is not None:
            return known
        above, _, name = directory.rpartition("/")
        is_package = self._has_init.get(directory)
        if is_package is None:
            is_package = os.path.exists(f"{directory}/__init__.py")  # noqa: PTH110 - text
        inside_root = directory.startswith(self._roots)
        if not above or not (is_package or inside_root):
            self._packages[directory] = ""
            return ""
        outer = self._package(above)
        # A directory of the root without __init__.py may be a namespace package, or another root
        # such as `src`: a package below it is imported by its own name.
        if not is_package and name in {"src", "lib", "backend", "server", "app"} and not outer:
            self._packages[directory] = ""
            return ""
        self._packages[directory] = f"{outer}.{name}" if outer else name
        return self._packages[directory]
