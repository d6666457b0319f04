"""Which outlets there are: `FREELOOP = {"WATCH": {...}}`, and FREELOOP_WATCH_LOG before it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from freeloop.watch.sinks.json_lines import DEFAULT_MAX_BYTES, JsonLines
from freeloop.watch.sinks.log import NAME, Log
from freeloop.watch.stretch import Stretch

Outlet = Callable[[Stretch], object]

VARIABLE = "FREELOOP_WATCH_LOG"
# Key of the setting -> the types that it takes.
KEYS: Mapping[str, tuple[type, ...]] = {
    "LOGGING": (bool,),
    "JSON_LINES": (str, os.PathLike),
    "JSON_LINES_MAX_MB": (int, float),
    "PROMETHEUS": (bool,),
    "OPENTELEMETRY": (bool,),
}
# The same in words, for those who gave another value.
WORDS: Mapping[str, str] = {
    "LOGGING": "True or False",
    "JSON_LINES": "the path of a file",
    "JSON_LINES_MAX_MB": "a number above 0",
    "PROMETHEUS": "True or False",
    "OPENTELEMETRY": "True or False",
}
# Outlets that want a package of their own: key of the setting -> module.
WANTS = {"PROMETHEUS": "prometheus_client", "OPENTELEMETRY": "opentelemetry.metrics"}
_MB = 1_000_000


class Outlets:
    """Gives each stretch to every outlet; what one raises stays here.

    Attributes:
        faults: What outlets raised, counted by their name.
    """

    def __init__(self, outlets: Mapping[str, Outlet]) -> None:
        self._outlets = dict(outlets)
        self.faults: dict[str, int] = {}

    def __call__(self, stretch: Stretch) -> None:
        """Hand a stretch on."""
        for name, outlet in self._outlets.items():
            try:
                outlet(stretch)
            except Exception as error:  # noqa: BLE001, RUF100 - it runs inside somebody's server
                self._fault(name, error)

    def __bool__(self) -> bool:
        return bool(self._outlets)

    @property
    def names(self) -> tuple[str, ...]:
        """The outlets in use."""
        return tuple(self._outlets)

    def _fault(self, name: str, error: Exception) -> None:
        """Say once that an outlet fails; it is tried again with the next stretch."""
        self.faults[name] = self.faults.get(name, 0) + 1
        if self.faults[name] == 1:
            _say("outlet %s failed, and is tried again silently: %r", name, error)


def from_settings(table: object = None) -> Outlets:
    """Return the outlets that the environment and the settings ask for.

    What cannot be made is left out with one line in the log: a server must start without it. A
    value of the wrong type counts as not given; the system check `freeloop.E002` names it.

    Args:
        table: The dict `FREELOOP["WATCH"]`; read from Django's settings if None.
    """
    wanted = _valid(_from_django() if table is None else table)
    found: dict[str, Outlet] = {}
    for name, make in _makers(wanted).items():
        try:
            found[name] = make()
        except ImportError as error:
            _say("outlet %s is left out: %s; pip install 'freeloop[%s]'", name, error, name)
        except Exception as error:  # noqa: BLE001, RUF100 - the server starts all the same
            _say("outlet %s is left out: %r", name, error)
    return Outlets(found)


def _makers(wanted: Mapping[str, Any]) -> dict[str, Callable[[], Outlet]]:
    makers: dict[str, Callable[[], Outlet]] = {}
    if wanted.get("LOGGING", True):
        makers["logging"] = Log
    if path := os.environ.get(VARIABLE) or wanted.get("JSON_LINES"):
        most = int(wanted.get("JSON_LINES_MAX_MB", DEFAULT_MAX_BYTES / _MB) * _MB)
        makers["json-lines"] = lambda: JsonLines(os.fspath(path), max_bytes=most)
    if wanted.get("PROMETHEUS"):
        makers["prometheus"] = _prometheus
    if wanted.get("OPENTELEMETRY"):
        makers["opentelemetry"] = _opentelemetry
    return makers


def _prometheus() -> Outlet:
    from freeloop.watch.sinks.prometheus import Prometheus

    return Prometheus()


def _opentelemetry() -> Outlet:
    from freeloop.watch.sinks.otel import OpenTelemetry

    return OpenTelemetry()


def _valid(table: object) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        return {}
    return {key: table[key] for key in KEYS if key in table and takes(key, table[key])}


def takes(key: str, value: object) -> bool:
    """Return whether an outlet's setting takes a value."""
    if isinstance(value, bool):
        return bool in KEYS[key]
    if isinstance(value, (int, float)):
        return isinstance(value, KEYS[key]) and value > 0
    return isinstance(value, KEYS[key])


def _from_django() -> object:
    from django.conf import settings

    given = getattr(settings, "FREELOOP", None) if settings.configured else None
    return given.get("WATCH") if isinstance(given, Mapping) else None


def _say(text: str, *values: object) -> None:
    logging.getLogger(NAME).warning(text, *values)
