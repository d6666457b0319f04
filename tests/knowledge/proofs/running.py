"""The proofs of a file in a process of its own, and what a data file says without one of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freeloop.knowledge.rows import Table

ROOT = Path(__file__).parents[3]
PATIENCE_S = 100


class ProofError(Exception):
    """The process that ran the exercises failed; the message is what it said."""


def proved(name: str) -> dict[str, Any]:
    """Return a `Proved` as a dictionary: what the exercises of a file show, run now."""
    # What exercises leave among temporary files, as sessions in files do, goes with the folder.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.knowledge.proofs", name],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": folder},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    if done.returncode:
        raise ProofError(f"{name} failed\n{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def unproved(table: Table, found: Mapping[str, Any]) -> list[str]:
    """Return, for each row that a run does not show, what is missing."""
    wrong = []
    for name, row in table.calls.items():
        shown = found["rows"].get(name)
        if shown is None:
            wrong.append(f"{name}: no exercise reaches a primitive through it")
        elif shown["kind"] != row.kind:
            wrong.append(f"{name}: said to wait for {row.kind}, shown for {shown['kind']}")
        elif row.guarded and not shown["guarded"]:
            wrong.append(f"{name}: said to be guarded, and ran on the loop")
        elif row.in_memory and not shown["in_memory"]:
            wrong.append(f"{name}: said to be harmless in memory, no exercise shows it")
        elif (row.twin or "") != shown["twin"]:
            wrong.append(f"{name}: said to have the twin {row.twin}, found {shown['twin']!r}")
    wrong += [
        f"{name}: said to return {cls}, and no exercise shows it"
        for name, cls in table.returns.items()
        if not any(found["returns"].get(each) == cls for each in inherited(name, found))
    ]
    return wrong


def inherited(name: str, found: Mapping[str, Any]) -> list[str]:
    """Return a method's name in its class and in those above: Pythons move some of pathlib's."""
    cls, _, method = name.rpartition(".")
    return [name, *(f"{base}.{method}" for base in found["bases"].get(cls, ()))]
