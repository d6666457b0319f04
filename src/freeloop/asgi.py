"""The one line for asgi.py: `from freeloop.asgi import get_asgi_application`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freeloop.relief import install

if TYPE_CHECKING:
    from django.core.handlers.asgi import ASGIHandler


def get_asgi_application() -> ASGIHandler:
    """Return Django's ASGI application, relieved; `FREELOOP_RELIEF=0` makes it stock."""
    from django.core.asgi import get_asgi_application as stock

    install()
    return stock()
