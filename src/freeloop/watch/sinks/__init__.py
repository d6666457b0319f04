"""Outlets: where the stretches that the watch reports go, beside `on_report`.

They run in production, on the watchdog's thread: bounded memory, nothing raised into the
application, and nothing imported that the project did not ask for.
"""

from __future__ import annotations

from freeloop.watch.sinks.choice import Outlets, from_settings

__all__ = ["Outlets", "from_settings"]
