"""Relief: what Django charges an async request is left out where nothing can notice.

`install()` once, before or after `django.setup()`, and every ASGI handler built afterwards answers
without the threads and thread hops that stock Django adds to it: `freeloop.asgi` does that and
returns the application. Whatever a request could notice stays stock; docs/explanation/relief.md
says what differs, and which test shows it.

Imports Django (with asgiref, which Django brings) and the standard library alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freeloop.relief.connections import ConnectionInUse, release_connections
    from freeloop.relief.explainer import explain
    from freeloop.relief.explanation import Explanation
    from freeloop.relief.seams import install, installed_parts, uninstall

__all__ = [
    "ConnectionInUse",
    "Explanation",
    "explain",
    "install",
    "installed_parts",
    "release_connections",
    "uninstall",
]

_HOMES = {
    "ConnectionInUse": "connections",
    "Explanation": "explanation",
    "explain": "explainer",
    "install": "seams",
    "installed_parts": "seams",
    "release_connections": "connections",
    "uninstall": "seams",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: explanations are read without Django too."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    return getattr(module, name)
