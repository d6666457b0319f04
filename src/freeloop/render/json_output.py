"""A run as JSON text: stable, for scripts and for drawing again later."""

from __future__ import annotations

import json
from collections.abc import Sequence

from freeloop import __version__
from freeloop.model.check import Check
from freeloop.model.codec import encode_run
from freeloop.model.run import Run


def dump_run(run: Run) -> str:
    """Return the run as the text of a `freeloop.run/1` file, ending with a line break."""
    return json.dumps(encode_run(run), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def dump_checks(checks: Sequence[Check]) -> str:
    """Return the doctor's rows as JSON text, schema freeloop.checks/1."""
    rows = [
        {"name": each.name, "state": each.state, "detail": each.detail, "mend": each.mend}
        for each in checks
    ]
    document = {"schema": "freeloop.checks/1", "tool": __version__, "results": rows}
    return json.dumps(document, indent=2, ensure_ascii=False)
