"""A message storage of a project's own."""

from __future__ import annotations

from django.contrib.messages.storage.fallback import FallbackStorage


class OwnStorage(FallbackStorage):
    """May do anything when it is made."""
