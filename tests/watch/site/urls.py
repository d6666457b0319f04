"""One route for each planted situation."""

from __future__ import annotations

from typing import Any

from django.urls import path

from tests.watch.site import burns, hidden, inside_django, traps, waits
from tests.watch.site.planted import situations

MODULES = (burns, hidden, inside_django, traps, waits)

urlpatterns: list[Any] = [
    path(each.pattern, each.view)
    for each in situations.values()
    if each.protocol == "http" and each.view is not None
]
websocket_urlpatterns: list[Any] = [
    path(each.pattern, inside_django.SlowConsumer.as_asgi())
    for each in situations.values()
    if each.protocol == "websocket"
]
