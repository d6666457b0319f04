"""Claim: requests that release their connection before a wait hold none while they wait.

On uvicorn and PostgreSQL, as a role with 97 connections, which is what max_connections = 100 leaves
to it: 130 requests at once of "one query, then a wait", and 50 open event streams after one query
each; stock Django without a pool, with a pool of 20, and with relief and `release_connections`.
Ends with 1 when a released request fails, waits for a connection as long as stock, or holds one.

    .venv/bin/python benchmarks/release_connections.py
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.relief.isolation import databases
from tests.relief.releasing.served import crowd, guest, held_by_streams, serving

WAITING = 130
STREAMS = 50
# Arm -> (application, view of the waits, view of the streams, size of the pool).
ARMS = {
    "stock, no pool": ("stock", "query_then_wait", "stream", None),
    "stock, pool of 20": ("stock", "query_then_wait", None, "20"),
    "released, pool of 20": ("relieved", "query_release_wait", None, "20"),
    "released, no pool": ("relieved", None, "released_stream", None),
}


def measured(database: str) -> dict[str, dict[str, Any]]:
    """Run each arm and return what it did."""
    found: dict[str, dict[str, Any]] = {}
    guests = guest(database)
    for arm, (application, wait, stream, pool) in ARMS.items():
        facts: dict[str, Any] = {}
        with serving(guests, application, **({"ISOLATION_POOL": pool} if pool else {})) as site:
            if wait:
                asked = crowd(site, f"/{wait}/?s=1", WAITING, database)
                facts["answered"] = asked.statuses.get(200, 0)
                facts["failed"] = WAITING - facts["answered"]
                facts["seconds"] = round(asked.seconds, 1)
                facts["most_connections"] = asked.most_connections
            if stream:
                facts["held_by_streams"] = held_by_streams(site, f"/{stream}/", STREAMS, database)
        found[arm] = facts
        print(f"{arm:22}", json.dumps(facts), flush=True)
    return found


def main() -> int:
    """Measure, print a line for each arm, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    with databases.postgres() as address:
        found = measured(address)
    if asked.output:
        asked.output.write_text(json.dumps(found, indent=2) + "\n")
    stock, released = found["stock, pool of 20"], found["released, pool of 20"]
    held = found["released, no pool"]["held_by_streams"]
    kept = not released["failed"] and released["seconds"] < stock["seconds"] and not held
    print("released requests hold nothing" if kept else "the claim FAILS")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
