"""What one call of each installed client costs: measured in the project's interpreter, alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection
from pathlib import Path

LOOPS = Path(__file__).with_name("call_loops.py")
TIMEOUT_S = 60.0


def call_costs(python: str, *, cores: Collection[int]) -> dict[str, tuple[float, float]]:
    """Return CPU milliseconds per call with 8 and with 32 in flight, by client.

    Args:
        python: The project's interpreter.
        cores: Those of the servers; empty for all.

    Returns:
        "aiohttp", "httpx.AsyncClient", "httpx.Client" and "requests" where installed; "hop"
        (`sync_to_async` on a request's thread) and "task" always. Empty when it failed.
    """
    try:
        answer = subprocess.run(
            [python, str(LOOPS), *map(str, cores)],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
        found = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return {name: (at_8_ms, at_32_ms) for name, (at_8_ms, at_32_ms) in found.items()}
