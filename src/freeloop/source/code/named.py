"""Named: whether a module or class is written anywhere else, as it must be to be called.

A URLconf that nothing includes, a router whose module nothing imports, a middleware that stands in
no list: the code is there and no server ever comes to it. What names it may be an import, a text
such as "shop.urls", or a text that is put together; a comment and a test do not count.
"""

from __future__ import annotations

from collections.abc import Collection

from freeloop.source.code.files import CodeFile
from freeloop.source.code.index import Class, Index

# Load modules by texts that may be put together in any way.
LOADERS = ("import_module", "autodiscover_modules", "module_has_submodule")


class Named:
    """Tells what the files of a project name."""

    def __init__(self, index: Index) -> None:
        """Tell it of all files but tests."""
        self._index = index
        self._paths = [path for path, file in index.files.items() if not _is_test(file)]
        self._by_pieces: dict[str, bool] = {}
        self._modules: dict[str, bool] = {}

    def holds(self, text: str) -> bool:
        """Tell whether a file has a text of just these words."""
        return any(self._index.holds(path, text) for path in self._paths)

    def module(self, file: CodeFile, besides: Collection[str] = ()) -> bool:
        """Tell whether another file names a module, or may do so.

        Args:
            file: The module.
            besides: Files that do not count.
        """
        if not file.package or file.path.endswith("__init__.py"):
            return True
        known = self._modules.get(file.path)
        if known is None or besides:
            above, name = file.module.rsplit(".", 2)[-2:]
            known = self._modules[file.path] = self._elsewhere(
                file.path, f"{above}.{name}", besides
            ) or self._put_together(name)
        return known

    def cls(self, cls: Class, registrar: str = "") -> bool:
        """Tell whether another file names a class, or one of its own file that is built on it.

        Args:
            cls: The class.
            registrar: What its own file may register it with.
        """
        path = cls.module.file.path
        if registrar and self._index.mentions(path, registrar):
            return True
        heirs = [each for each in cls.module.classes if cls.last_name in each.bases]
        return self._elsewhere(path, cls.last_name) or any(map(self.cls, heirs))

    def _elsewhere(self, path: str, text: str, besides: Collection[str] = ()) -> bool:
        folder = path.rpartition("/")[0]
        # Most are named by a file near to them.
        nearest = sorted(self._paths, key=lambda other: not other.startswith(folder))
        return any(
            self._index.mentions(other, text)
            for other in nearest
            if other != path and other not in besides
        )

    def _put_together(self, name: str) -> bool:
        known = self._by_pieces.get(name)
        if known is None:
            endings = (f".{name}", f"%s.{name}", f"{{}}.{name}", f"{{0}}.{name}")
            known = self._by_pieces[name] = any(
                any(self._index.holds(path, each) for each in endings)
                or (
                    self._index.holds(path, name)
                    and any(self._index.mentions(path, each) for each in LOADERS)
                )
                for path in self._paths
            )
        return known


def _is_test(file: CodeFile) -> bool:
    return any(part.startswith("test") or part == "conftest" for part in file.module.split("."))
