"""Async handlers that nobody awaits."""

from __future__ import annotations

import asyncio

from django.views import View
from django.views.generic import TemplateView
from rest_framework import viewsets
from rest_framework.decorators import api_view
from rest_framework.views import APIView


class Menu(APIView):
    async def get(self, request):  # FL404
        await asyncio.sleep(1)


class Dishes(viewsets.ModelViewSet):
    async def list(self, request):  # FL404
        await asyncio.sleep(1)


@api_view(["GET"])
async def menu(request):  # FL404
    await asyncio.sleep(1)


class Mixed(View):
    async def get(self, request):  # FL404
        await asyncio.sleep(1)

    def post(self, request):
        return None


class Page(TemplateView):
    def get(self, request):
        return None

    async def post(self, request):  # FL404
        await asyncio.sleep(1)
