"""WebSockets of the café: an echo from the kitchen hatch."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path

from kitchen.asked import LONGEST_MS

DEFAULT_MS = 50


class Echo(AsyncWebsocketConsumer):
    """Answers every text with the same text after `?ms=` milliseconds."""

    async def connect(self) -> None:
        asked = parse_qs(self.scope["query_string"].decode("latin-1")).get("ms", [""])[0]
        if asked and not (asked.isdecimal() and int(asked) <= LONGEST_MS):
            await self.close()
            return
        self.wait_s = int(asked or DEFAULT_MS) / 1000
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await asyncio.sleep(self.wait_s)
        await self.send(text_data=text_data, bytes_data=bytes_data)


sockets = [path("ws/echo/", Echo.as_asgi())]
