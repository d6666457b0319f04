"""Ask the process in `asked.py`, and put computed and counted side by side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from freeloop.model.structure import from_plain
from freeloop.relief.explanation import Charge, Explanation
from freeloop.relief.simulation import Simulation

ROOT = Path(__file__).parents[3]
VIEWS = ("/async/", "/sync/")


@dataclass(frozen=True, slots=True)
class Answered:
    """What one stack is said to cost, and what it was counted to cost."""

    explanation: Explanation
    same_when_installed: bool
    stock: dict[str, Any]
    relieved: dict[str, Any]
    simulated: Simulation | None = None
    traced: dict[str, Any] = field(default_factory=dict)
    held: int | None = None

    def piece(self, name: str) -> Any:
        """Return the piece whose name ends so."""
        (found,) = [each for each in self.explanation.pieces if each.name.endswith(name)]
        return found

    def differences(self) -> list[str]:
        """Return where computed and counted are not the same, down to the functions' names."""
        pairs = {
            "stock async": (self.explanation.async_view.stock, self.stock["/async/"]),
            "stock sync": (self.explanation.sync_view.stock, self.stock["/sync/"]),
            "relieved async": (self.explanation.async_view.relieved, self.relieved["/async/"]),
            "relieved sync": (self.explanation.sync_view.relieved, self.relieved["/sync/"]),
        }
        return [
            f"{name}: computed {computed}, counted {seen}"
            for name, (computed, seen) in pairs.items()
            if not same(computed, seen)
        ]


def same(computed: Charge | None, seen: dict[str, Any]) -> bool:
    """Return whether both name the same functions equally often, and as many threads."""
    if computed is None:  # an installed Django whose code relief does not know
        return False
    renamed = ["the view" if "explained.urls." in name else name for name in seen["to_thread"]]
    return (
        seen["status"] == 200
        and Counter(computed.to_thread) == Counter(renamed)
        and Counter(computed.to_loop) == Counter(seen["to_loop"])
        and computed.threads == seen["threads"]
    )


class Asking:
    """A running process that answers one question after another."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(
        self, middleware: list[str], *, paths: tuple[str, ...] = (), **more: Any
    ) -> Answered:
        """Return what is said and counted of a stack; `more`: before, headers, other settings."""
        question = {
            "settings": {"MIDDLEWARE": middleware, **more.pop("settings", {})},
            "paths": [*VIEWS, *paths],
            **more,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process ended; its traceback is above"
        said = json.loads(line)
        return Answered(
            from_plain(Explanation, said["explained"]),
            said["same_when_installed"],
            said["stock"],
            said["relieved"],
            from_plain(Simulation, said["simulated"]) if "simulated" in said else None,
            said.get("traced", {}),
            said.get("held"),
        )


@contextmanager
def asking(**environment: str) -> Iterator[Asking]:
    """Start the process, and end it."""
    command = [sys.executable, "-W", "error", "-m", "tests.relief.explained.asked"]
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with process:
            yield Asking(process)
            assert process.stdin is not None
            process.stdin.close()
    finally:
        process.kill()
        process.wait()
