"""Check: one row of `freeloop doctor`, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """OK needs nothing; WARNING works worse; MISSING can be installed; BROKEN stops a run."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What was looked at, such as "settings" or "gunicorn".
        state: How it is.
        detail: What was found, one sentence without a full stop.
        mend: What to type or change; "" when nothing needs mending.
    """

    name: str
    state: CheckState
    detail: str
    mend: str = ""
