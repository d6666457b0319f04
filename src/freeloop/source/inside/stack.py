"""Inside the project: what its middleware costs, layer by layer and in other orders."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def answer(
    _question: dict[str, Any], _cleanups: list[Callable[[], None]], asked: type
) -> dict[str, object]:
    """Return the simulation; no request runs."""
    from dataclasses import asdict

    simulator = sibling("relief").ours("relief.simulator", asked)
    return asdict(simulator.simulate())


def sibling(name: str) -> Any:
    """Return another file of this folder, by its place: freeloop need not be installed here."""
    full_name = f"freeloop_inside_{name}"
    if full_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            full_name, Path(__file__).with_name(f"{name}.py")
        )
        assert spec is not None  # noqa: S101, RUF100 - the place is freeloop's own
        assert spec.loader is not None  # noqa: S101, RUF100
        module = importlib.util.module_from_spec(spec)
        sys.modules[full_name] = module
        spec.loader.exec_module(module)
    return sys.modules[full_name]
