"""Load client: raw HTTP/1.1 and WebSocket on uvloop, in a process of its own."""

from __future__ import annotations

from freeloop.measure.client.child import ClientCrashed
from freeloop.measure.client.engine import RawEngine

__all__ = ["ClientCrashed", "RawEngine"]
