"""Requests of the café, recorded as a user would: by the command line, beside its upstream."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from freeloop.api import read
from freeloop.model.reading import Reading
from freeloop.model.trace_codec import read_trace
from tests.examples.cafe import CAFE

# Name -> arguments of `freeloop trace`: a wait, a fan-out, a blocked loop, queries by threads.
REQUESTS: Mapping[str, Sequence[str]] = {
    "gathered": ["/four/gathered/async/"],
    "blocked": ["/hidden/async/"],
    "queries": ["/ten-queries/sync/", "--wsgi"],
}
# Runs inside the café's surroundings; one after another: recording is timing.
RECORD = """
import subprocess, sys
for arguments in {runs!r}:
    subprocess.run([sys.executable, "-m", "freeloop", "trace", *arguments], check=True)
"""


def record_requests(folder: Path) -> dict[str, Reading]:
    """Record each request into a file, and read it."""
    files = {name: folder / f"{name}.json" for name in REQUESTS}
    runs = [
        [*arguments, "--format", "json", "--output", str(files[name])]
        for name, arguments in REQUESTS.items()
    ]
    command = [sys.executable, "-c", RECORD.format(runs=runs)]
    subprocess.run(
        [sys.executable, CAFE / "backing.py", "--", *command],
        cwd=CAFE,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return {name: read(read_trace(file)) for name, file in files.items()}
