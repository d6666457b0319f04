"""ASGI door: pages, WebSockets, and the end of the process."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cafe.settings")

# First: it fills the app registry that the imports below need.
pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from kitchen.consumers import sockets  # noqa: E402
from kitchen.lifespan import lifespan  # noqa: E402

application = ProtocolTypeRouter(
    {"http": pages, "websocket": URLRouter(sockets), "lifespan": lifespan}
)
