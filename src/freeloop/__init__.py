"""freeloop: when async helps in Django, and when it does not."""

from __future__ import annotations

__version__ = "0.1.0"
