"""Whether relief is on: the environment, the FREELOOP setting, and the share of requests.

Settings are read when the first request asks, never at import or by `install()`, and again after
`override_settings`.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed

VARIABLE = "FREELOOP_RELIEF"
_OFF = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Switch:
    """`FREELOOP["RELIEF"]`, with its defaults.

    Attributes:
        enabled: None where nothing was said: then whoever called `install()` wanted it on.
        sample: Share of the requests that are relieved, 0 to 1.
        verify: Answer every GET both ways and log differences; for development.
    """

    enabled: bool | None = None
    sample: float = 1.0
    verify: bool = False


KEYS = tuple(field.name.upper() for field in fields(Switch))

_read: Switch | None = None
_installed = False


def switch() -> Switch:
    """Return what the environment and the settings say now.

    A value of the wrong type counts as not given; the system check `freeloop.E002` names it.
    """
    global _read
    if _read is None:
        _read = _from_settings()
    return _read


def killed() -> bool:
    """Return whether the environment alone forbids relief; reads no setting."""
    return os.environ.get(VARIABLE, "").strip().lower() in _OFF


def set_installed(installed: bool) -> None:  # noqa: FBT001
    """Say whether relief is installed; what monitoring tools keep of ours is stock otherwise."""
    global _installed
    _installed = installed


def on() -> bool:
    """Return whether requests may be relieved at all."""
    return _installed and switch().enabled is not False


def drawn() -> bool:
    """Return whether this request is one of the share that is relieved."""
    if not on():
        return False
    now = switch()
    return now.sample >= 1.0 or random.random() < now.sample


def _from_settings() -> Switch:
    if killed():
        return Switch(enabled=False)
    given: Any = getattr(settings, "FREELOOP", None) if settings.configured else None
    table = given.get("RELIEF", {}) if isinstance(given, dict) else {}
    if not isinstance(table, dict):
        table = {}
    enabled, sample = table.get("ENABLED"), table.get("SAMPLE", 1.0)
    is_share = isinstance(sample, (int, float)) and not isinstance(sample, bool)
    return Switch(
        enabled=enabled if isinstance(enabled, bool) else None,
        sample=float(sample) if is_share else 1.0,
        verify=table.get("VERIFY") is True,
    )


def _forget(*, setting: str, **_signal: object) -> None:
    if setting == "FREELOOP":
        global _read
        _read = None


# Sent by `override_settings` in tests, never while requests are served.
setting_changed.connect(_forget)
