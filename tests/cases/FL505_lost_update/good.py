"""Shared state without an await between, or under a lock."""

from __future__ import annotations

import asyncio

from channels.generic.websocket import AsyncWebsocketConsumer
from django.views import View


class Tally:
    def __init__(self):
        self.served = 0
        self.lock = asyncio.Lock()

    async def add(self):
        await asyncio.sleep(0.01)
        self.served += 1

    async def add_by_name(self):
        await asyncio.sleep(0.01)
        seen = self.served
        self.served = seen + 1

    async def add_locked(self):
        async with self.lock:
            seen = self.served
            await asyncio.sleep(0.01)
            self.served = seen + 1

    async def read_again(self):
        seen = self.served
        await asyncio.sleep(0.01)
        seen = self.served
        self.served = seen + 1

    async def other(self):
        seen = self.served
        await asyncio.sleep(0.01)
        self.last = seen


class OneOfEachConnection(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        room = self.room
        await self.send(text_data)
        self.room = {"type": "joined", "of": room}


class OneOfEachRequest(View):
    async def get(self, request):
        seen = self.seen
        await asyncio.sleep(0.01)
        self.seen = seen + 1
