"""The list of what is planted: each situation a view, its line marked with `# HERE name`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HOLD_S = 0.07

View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Situation:
    """One of them.

    Attributes:
        name: Of the view; its route is `name/<int:pk>/`.
        causes: Any of which is right; empty for a trap, about which nothing may be said.
        view: Answers the request that brings it about.
        protocol: `http`, `websocket`, or `start`: the server's start brings it about.
        route: False where there is none to name.
        path: False where no request is to blame.
    """

    name: str
    causes: frozenset[str]
    view: View | None = None
    protocol: str = "http"
    route: bool = True
    path: bool = True

    @property
    def pattern(self) -> str:
        """The route."""
        return f"{self.name}/<int:pk>/"

    @property
    def url(self) -> str:
        """What to ask for."""
        return f"/{self.name}/7/"

    @property
    def lines(self) -> list[tuple[str, int]]:
        """File name and line of the marks; none where any line of the project will do."""
        return _MARKS.get(self.name, [])


def _marks() -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for file in sorted(HERE.glob("*.py")):
        for number, text in enumerate(file.read_text().splitlines(), start=1):
            mark = re.search(r"# HERE (.+)", text)
            for name in mark[1].split() if mark else ():
                found.setdefault(name, []).append((file.name, number))
    return found


_MARKS = _marks()

situations: dict[str, Situation] = {}


def holds(*causes: str, **more: Any) -> Callable[[View], View]:
    """Return a decorator: the view holds the loop, or brings a hidden thing about."""

    def plant(view: View) -> View:
        name = view.__name__
        situations[name] = Situation(name, frozenset(causes), view, **more)
        return view

    return plant


def silent(view: View) -> View:
    """Return the view, planted as a trap: nothing may be said about it."""
    situations[view.__name__] = Situation(view.__name__, frozenset(), view)
    return view
