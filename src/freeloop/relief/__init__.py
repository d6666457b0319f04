"""Relief: what Django charges an async request is left out where nothing can notice.

`install()` once, before or after `django.setup()`, and every ASGI handler built afterwards answers
without the threads and thread hops that stock Django adds to it: `freeloop.asgi` does that and
returns the application. Whatever a request could notice stays stock; docs/explanation/relief.md
says what differs, and which test shows it.

Imports Django (with asgiref, which Django brings) and the standard library alone.
"""

from __future__ import annotations

from freeloop.relief.connections import ConnectionInUse, release_connections
from freeloop.relief.explain import Explanation, explain
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
