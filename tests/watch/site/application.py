"""The application under the tool that WATCH_TOOL names; reports go to the file WATCH_REPORTS."""

from __future__ import annotations

import json
import os
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.watch.site.settings")

from channels.routing import URLRouter  # type: ignore[import-untyped]
from django.core.asgi import get_asgi_application

from tests.watch.site import peers
from tests.watch.site.planted import HOLD_S

django_application = get_asgi_application()

from tests.watch.site.urls import websocket_urlpatterns

_websockets = URLRouter(websocket_urlpatterns)


def _write(fields: dict[str, Any]) -> None:
    with open(os.environ["WATCH_REPORTS"], "a") as file:
        file.write(json.dumps(fields) + "\n")


async def routed(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        peers.on_the_loop(_tool)
        await receive()
        time.sleep(HOLD_S)  # HERE lifespan_start
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await _websockets(scope, receive, send)
    else:
        await django_application(scope, receive, send)


def _watched() -> Any:
    from freeloop import watch

    return watch.asgi(routed, on_report=lambda stretch: _write(json.loads(stretch.to_json())))


_tool = os.environ.get("WATCH_TOOL", "freeloop")
application: Any = routed
if _tool == "freeloop":
    application = _watched()
else:
    peers.start(_tool, _write)
