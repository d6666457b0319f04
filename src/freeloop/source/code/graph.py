"""Questions that rules ask about a project's code."""

from __future__ import annotations


class Graph:
    """A project's code, linked."""
