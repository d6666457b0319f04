"""Claim: the watch finds nine of ten planted situations, and says nothing about a trap.

`python benchmarks/watch_recall.py [--server NAME] [--tool NAME]` brings every situation of
`tests/watch/site` about on real servers, one after the other, under each tool that is installed:
freeloop, aiocop, blockbuster (`pip install aiocop blockbuster`). Found: something was reported
about it; line: the planted line is named (for the peers it is enough that any of their frames is
it); cause, route, path: as planted. Reports of the host's own delay are neither a find nor a false
alarm. The raw outcomes are kept in `results/watch_recall.json`. Arrival model: one request at a
time. Not controlled: the machine's other load. Ends with 1 when the claim fails.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.watch.served import COMMANDS, HIDDEN, listed, serving
from tests.watch.site.planted import Situation

RESULTS = Path(__file__).with_name("results") / "watch_recall.json"
LEAST_RECALL = 0.9
TOOLS = ("freeloop", "aiocop", "blockbuster")


def main() -> int:
    """Run what was asked for; return 1 if the claim fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", choices=sorted(COMMANDS), action="append")
    parser.add_argument("--tool", choices=TOOLS, action="append")
    parser.add_argument("--show", action="store_true", help="print the table of the last run")
    given = parser.parse_args()
    planted = list(listed().values())
    if given.show:
        print(table(json.loads(RESULTS.read_text())["outcomes"], planted))
        return 0
    tools = [each for each in given.tool or TOOLS if importlib.util.find_spec(each)]
    outcomes = {
        server: {tool: run(server, tool, planted) for tool in tools}
        for server in given.server or sorted(COMMANDS)
    }
    print(table(outcomes, planted))
    RESULTS.write_text(json.dumps(environment(tools) | {"outcomes": outcomes}, indent=1) + "\n")
    return int(any(not holds(each["freeloop"], planted) for each in outcomes.values()))


def run(server: str, tool: str, planted: list[Situation]) -> dict[str, dict[str, Any]]:
    """Return what was said about each situation."""
    outcomes = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), COMMANDS[server], WATCH_TOOL=tool) as site,
    ):
        time.sleep(0.5)
        starting = site.new_lines()
        for situation in planted:
            lines = starting if situation.protocol == "start" else site.bring_about(situation)
            outcomes[situation.name] = outcome(situation, [json.loads(each) for each in lines])
    return outcomes


def outcome(planted: Situation, said: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what was right about the reports."""
    said = [each for each in said if each["kind"] != "host"]
    return {
        "reports": len(said),
        "line": any(_has_line(each, planted) for each in said),
        "cause": any(each["cause"] in planted.causes for each in said),
        "route": any(each.get("route") == planted.pattern for each in said),
        "path": any(each.get("path") == planted.url for each in said),
    }


def _has_line(said: dict[str, Any], planted: Situation) -> bool:
    frames = [(Path(file).name, line) for file, line, _ in said["frames"]]
    return bool(frames) if not planted.lines else bool(set(frames) & set(planted.lines))


def holds(outcomes: dict[str, dict[str, Any]], planted: list[Situation]) -> bool:
    """Return whether the claim does."""
    found = [bool(outcomes[each.name]["reports"]) for each in planted if each.causes]
    alarms = [each.name for each in planted if not each.causes and outcomes[each.name]["reports"]]
    return sum(found) >= LEAST_RECALL * len(found) and not alarms


def table(
    outcomes: dict[str, dict[str, dict[str, dict[str, Any]]]], planted: list[Situation]
) -> str:
    """Return the table of all runs."""
    blocks = [each for each in planted if each.causes and not each.causes <= HIDDEN_ALL]
    hidden = [each for each in planted if each.causes and each.causes <= HIDDEN_ALL]
    traps = [each for each in planted if not each.causes]
    head = f"{'server':16} {'tool':12} {'blocks':>8} {'line':>7} {'cause':>7} {'route':>7} "
    rows = [head + f"{'twice':>6} {'hidden':>7} {'false alarms':>13}"]
    for server, tools in outcomes.items():
        for tool, found in tools.items():

            def count(
                what: str,
                of: list[Situation],
                found: dict[str, dict[str, Any]] = found,
            ) -> str:
                return f"{sum(bool(found[each.name][what]) for each in of)}/{len(of)}"

            ours = tool == "freeloop"  # the others have other words for causes, and no routes
            twice = sum(found[each.name]["reports"] > 1 for each in blocks)
            routed = [each for each in blocks if each.route]
            alarms = sum(bool(found[each.name]["reports"]) for each in traps)
            rows.append(
                f"{server:16} {tool:12} {count('reports', blocks):>8} {count('line', blocks):>7} "
                f"{count('cause', blocks) if ours else '-':>7} "
                f"{count('route', routed) if ours else '-':>7} {twice:>6} "
                f"{count('cause' if ours else 'reports', hidden):>7} {alarms:>6} of {len(traps)}"
            )
            to_find = [each.name for each in planted if each.causes]
            lost = [name for name in to_find if not found[name]["reports"]]
            if ours and lost:
                rows.append(f"{'':16} lost: {', '.join(lost)}")
    return "\n".join(rows)


HIDDEN_ALL = HIDDEN | {"never-awaited"}


def environment(tools: list[str]) -> dict[str, Any]:
    """Return what the numbers belong to."""
    names = ["django", "asgiref", "uvicorn", "uvloop", "granian", *tools]
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "versions": {name: metadata.version(name) for name in names},
    }


if __name__ == "__main__":
    sys.exit(main())
