"""Async views that never await."""

from __future__ import annotations

from django.http import JsonResponse
from django.shortcuts import render
from django.urls import path
from django.views import View


async def draws(request):  # FL401
    return render(request, "menu.html", {})


async def computes(request):  # FL401
    return JsonResponse({"rows": rows()})


def rows():
    return [number * 2 for number in range(9)]


class Menu(View):
    async def get(self, request):  # FL401
        return JsonResponse({"rows": rows()})


urlpatterns = [
    path("draws/", draws),
    path("computes/", computes),
    path("menu/", Menu.as_view()),
]
