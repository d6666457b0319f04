"""Watch: which line holds the event loop in production, at the cost of a thread that sleeps.

    application = freeloop.watch.asgi(get_asgi_application())

Imports Django (with asgiref, which Django brings) and the standard library alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freeloop.watch.reports import listen, unlisten
    from freeloop.watch.stretch import Cause, Kind, Stretch, from_json
    from freeloop.watch.wrapper import asgi

__all__ = ["Cause", "Kind", "Stretch", "asgi", "from_json", "listen", "unlisten"]

_HOMES = {
    "Cause": "stretch",
    "Kind": "stretch",
    "Stretch": "stretch",
    "asgi": "wrapper",
    "from_json": "stretch",
    "listen": "reports",
    "unlisten": "reports",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: a log of stretches is read without Django."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    return getattr(module, name)
