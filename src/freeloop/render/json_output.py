"""A run as JSON text: stable, for scripts and for drawing again later."""

from __future__ import annotations

import json

from freeloop.model.codec import encode_run
from freeloop.model.run import Run


def dump_run(run: Run) -> str:
    """Return the run as the text of a `freeloop.run/1` file, ending with a line break."""
    return json.dumps(encode_run(run), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
