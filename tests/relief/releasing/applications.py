"""ASGI applications of the site: relieved, and as Django makes it."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Make the one that uvicorn asks for, and not the other."""
    if name == "relieved":
        from freeloop.asgi import get_asgi_application

        return get_asgi_application()
    if name == "stock":
        from django.core.asgi import get_asgi_application as stock

        return stock()
    raise AttributeError(name)
