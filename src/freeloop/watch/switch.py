"""Whether the watch is on, and its threshold: the environment, then the FREELOOP setting.

`FREELOOP_WATCH=0` turns it off whatever the settings say.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings

VARIABLE = "FREELOOP_WATCH"
THRESHOLD_MS = 20.0
# Below this the watchdog would have to look more often than the budget of CPU time allows.
LEAST_THRESHOLD_MS = 5.0
_OFF = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Switch:
    """`FREELOOP["WATCH"]`, with its defaults.

    Attributes:
        enabled: None where nothing was said: then whoever wrapped an application wanted it on.
        threshold_ms: Shorter stretches are not reported; None where nothing was said.
        never_awaited: Also report coroutines that nobody awaited.
    """

    enabled: bool | None = None
    threshold_ms: float | None = None
    never_awaited: bool = False


KEYS = tuple(field.name.upper() for field in fields(Switch))


def killed() -> bool:
    """Return whether the environment alone forbids the watch; reads no setting."""
    return os.environ.get(VARIABLE, "").strip().lower() in _OFF


def switch() -> Switch:
    """Return what the environment and the settings say.

    A value of the wrong type counts as not given; the system check `freeloop.E002` names it.
    """
    if killed():
        return Switch(enabled=False)
    given: Any = getattr(settings, "FREELOOP", None) if settings.configured else None
    table = given.get("WATCH", {}) if isinstance(given, dict) else {}
    if not isinstance(table, dict):
        return Switch()
    enabled, threshold = table.get("ENABLED"), table.get("THRESHOLD_MS")
    return Switch(
        enabled=enabled if isinstance(enabled, bool) else None,
        threshold_ms=float(threshold)
        if threshold is not None and is_threshold(threshold)
        else None,
        never_awaited=table.get("NEVER_AWAITED") is True,
    )


def is_threshold(value: Any) -> bool:
    """Return whether a value is a number of milliseconds that the watch can keep to."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and bool(value >= LEAST_THRESHOLD_MS)
