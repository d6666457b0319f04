"""The watch by setting alone: the application that `get_asgi_application` returns comes watched.

One name of Django's is stood in for, `django.core.asgi.ASGIHandler`, where that function looks its
handler up. The handler itself stays as it is, so that relief finds the shape that it knows.
"""

from __future__ import annotations

from typing import Any

from django.core import asgi

from freeloop.watch.wrapper import asgi as watched_application

_stock: Any = None


def install() -> None:
    """Watch every application made from now on; once is enough."""
    global _stock
    if _stock is not None:
        return
    _stock = stock = asgi.ASGIHandler  # type: ignore[attr-defined]

    def handler() -> Any:
        return watched_application(stock())

    asgi.ASGIHandler = handler  # type: ignore[assignment,attr-defined]


def uninstall() -> None:
    """Leave the applications made from now on alone."""
    global _stock
    if _stock is not None:
        asgi.ASGIHandler = _stock  # type: ignore[attr-defined]
        _stock = None
