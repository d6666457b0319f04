"""Outlets: where the stretches that the watch reports go, beside `on_report`.

They run in production, on the watchdog's thread: bounded memory, nothing raised into the
application, and nothing imported that the project did not ask for.
"""

from __future__ import annotations

from freeloop.watch import reports
from freeloop.watch.sinks.choice import Outlets, from_settings

__all__ = ["Outlets", "from_settings", "start"]

_started = False


def start() -> None:
    """Have every report go to the outlets of the settings; a second time changes nothing."""
    global _started
    if not _started:
        _started = True
        if outlets := from_settings():
            reports.listen(outlets)
