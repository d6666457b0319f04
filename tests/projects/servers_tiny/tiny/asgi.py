"""An application that says it is not the one freeloop makes."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tiny.settings")
_django = get_asgi_application()


async def application(scope, receive, send):  # type: ignore[no-untyped-def]
    """Echo on a WebSocket, Django for the rest."""
    if scope["type"] != "websocket":
        await _django(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
