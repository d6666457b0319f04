"""Names and numbers of the plugin, for all of its modules."""

from __future__ import annotations

MARK = "freeloop"
# A watch that looks more often would disturb what it watches.
LEAST_MS = 5.0
DEFAULT_MS = 50.0
