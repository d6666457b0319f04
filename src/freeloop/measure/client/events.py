"""EventEnds: counts the events that end inside the pieces of an event stream."""

from __future__ import annotations

import re

# The groups are atomic: without that, "\r\n" would match as two line ends.
_END = re.compile(rb"[^\r\n](?>\r\n|\r|\n)(?>\r\n|\r|\n)")
_LONGEST_UNFINISHED_BYTES = 3


class EventEnds:
    """Counts blank lines that end something; a comment sent as a sign of life counts too."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, piece: bytes) -> int:
        """Return how many events end in this piece."""
        data = self._tail + piece
        count = 0
        end = 0
        for match in _END.finditer(data):
            count += 1
            end = match.end()
        self._tail = data[end:][-_LONGEST_UNFINISHED_BYTES:]
        return count
