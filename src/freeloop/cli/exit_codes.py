"""Exit codes of the contract; 0 is clean."""

from __future__ import annotations

FINDINGS = 1
WRONG_USE = 2
OUR_FAULT = 3
INTERRUPTED = 130
