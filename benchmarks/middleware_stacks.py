"""Claim: the hops, threads and held threads that are simulated for a stack are those of a request.

Twenty stacks are drawn with a seed: sync, async and both-capable middleware, Django's and own ones.
For each, and for an async and a sync view, the simulator's numbers stand beside what the hop probe
counted around a real GET and what a trace of another one marked; functions are compared by name.
Ends with 1 when they differ anywhere.

    .venv/bin/python benchmarks/middleware_stacks.py [--seed N] [--stacks N] [--output FILE]

It runs with the Django of its environment; `make install DJANGO=5.2` makes others. Takes ten
seconds. Not covered: middleware that hops in its own code, which no chain tells.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.relief.explained.asking import Answered, asking  # noqa: E402 - lies beside this folder
from tests.relief.explained.stacks import HOW_MANY, SEED, generated, short  # noqa: E402

VIEWS = {"/async/": "async", "/sync/": "sync"}
OF_THE_SITE = "tests.relief.explained.urls."


def line(stack: Sequence[str], answered: Answered) -> dict[str, Any]:
    """Return what was simulated, counted and traced of one stack, and where they differ."""
    said = answered.simulated
    assert said is not None
    found: dict[str, Any] = {
        "stack": stack,
        "held": {"simulated": said.current.held, "counted": answered.held},
        "best": {"moved": said.best.moved, "hops": hops(said.best.async_view.stock)},
        "wrong": answered.differences(),
    }
    for path, view in VIEWS.items():
        cost = said.current.async_view if view == "async" else said.current.sync_view
        assert cost.stock is not None
        traced, counted = answered.traced[path], answered.stock[path]
        found[view] = {
            "simulated": [len(cost.stock.to_thread), len(cost.stock.to_loop), cost.stock.threads],
            "counted": [len(counted["to_thread"]), len(counted["to_loop"]), counted["threads"]],
            "traced": [len(traced["to_thread"]), len(traced["to_loop"]), traced["threads"]],
        }
        said_names = Counter((*cost.stock.to_thread, *cost.stock.to_loop))
        seen_names = Counter(map(named, (*traced["to_thread"], *traced["to_loop"])))
        if said_names != seen_names or cost.stock.threads != traced["threads"]:
            found["wrong"].append(f"{view} view: simulated {said_names}, traced {seen_names}")
    if said.current.held != answered.held:
        found["wrong"].append(f"held: simulated {said.current.held}, counted {answered.held}")
    return found


def named(function: str) -> str:
    """Return the view's name as it is before a request."""
    return "the view" if function.startswith(OF_THE_SITE) else function


def hops(charge: Any) -> int | None:
    """Return hops in both directions."""
    return None if charge is None else charge.hops


def show(lines: Sequence[Mapping[str, Any]]) -> None:
    """Print each stack."""
    print("hops to a thread / back to the loop / threads started; held while an async view waits\n")
    print(f"{'':3} {'view':5} {'simulated':>11} {'counted':>11} {'traced':>11}  held  stack")
    for number, each in enumerate(lines, 1):
        for view in VIEWS.values():
            cells = [" / ".join(map(str, each[view][who])) for who in WHO]
            held = f"{each['held']['simulated']} {each['held']['counted']}"
            tail = f"{held:>4}  {short(each['stack'])}" if view == "async" else ""
            print(f"{number:3} {view:5} " + " ".join(f"{cell:>11}" for cell in cells) + f"  {tail}")


WHO = ("simulated", "counted", "traced")


def main() -> int:
    """Ask about each stack, keep the results, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--stacks", type=int, default=HOW_MANY)
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    with asking() as ask:
        lines = [
            line(stack, ask(stack, simulate=True)) for stack in generated(asked.seed, asked.stacks)
        ]
    show(lines)
    wrong = [f"WRONG {short(each['stack'])}: {why}" for each in lines for why in each["wrong"]]
    print("\n".join(["", *wrong]))
    versions = {name: metadata.version(name) for name in ("django", "asgiref")}
    print(
        f"Python {platform.python_version()}, Django {versions['django']}, asgiref"
        f" {versions['asgiref']}: {len(lines)} stacks, {2 * len(lines)} requests,"
        f" {len(wrong)} differences"
    )
    if asked.output is not None:
        known = {"python": platform.python_version(), **versions, "seed": asked.seed}
        asked.output.write_text(json.dumps({"versions": known, "stacks": lines}, indent=1) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
