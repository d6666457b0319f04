"""Async handlers that are awaited."""

from __future__ import annotations

import asyncio

from adrf.views import APIView as AsyncAPIView
from django.views import View
from rest_framework.views import APIView


class Whole(View):
    async def get(self, request):
        await asyncio.sleep(1)

    async def post(self, request):
        await asyncio.sleep(1)

    def helper(self):
        return 1


class Awaited(AsyncAPIView):
    async def get(self, request):
        await asyncio.sleep(1)


class Sync(APIView):
    def get(self, request):
        return self.load()

    async def load(self):
        await asyncio.sleep(1)


class Own(APIView):
    async def dispatch(self, request):
        return await self.get(request)

    async def get(self, request):
        await asyncio.sleep(1)
