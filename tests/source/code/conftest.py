"""Small projects written by a test, and the graph of their code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from freeloop.source.code.graph import Graph
from freeloop.source.code.project import deep_calls, read_code

Write = Callable[..., Graph]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write modules, by their dotted names with `__` for dots, and return their graph."""
    (tmp_path / "pyproject.toml").touch()

    def make(settings: str | None = None, **modules: str) -> Graph:
        for name, text in modules.items():
            file = tmp_path / f"{name.replace('__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            for directory in file.relative_to(tmp_path).parents:
                if directory != Path():
                    (tmp_path / directory / "__init__.py").touch()
            file.write_text(text)
        return read_code(tmp_path, (), settings=settings, use_cache=False).graph

    with deep_calls():
        yield make
