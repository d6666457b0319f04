"""pytest plugin: tests that say how long they may hold the event loop."""

from __future__ import annotations
