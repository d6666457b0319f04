"""SQL without what was written into it: parameters stay out anyway, literals are masked."""

from __future__ import annotations

import re

# Text in quotes and numbers; what is in double quotes or back quotes is a name.
LITERAL = re.compile(r"'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$|(?<![\w\"`.])\d+(?:\.\d+)?\b", re.DOTALL)
LONGEST = 10_000


def masked(sql: str) -> str:
    """Return a statement with all literals replaced, on one line."""
    return " ".join(LITERAL.sub("?", sql[:LONGEST]).split())
