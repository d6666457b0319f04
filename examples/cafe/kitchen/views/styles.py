"""Other ways to write a view: a class, Django REST framework, Django Ninja."""

from __future__ import annotations

import asyncio
import time

from django.http import HttpRequest, HttpResponse
from django.views import View
from ninja import NinjaAPI
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kitchen.asked import asked_ms
from kitchen.menu import MENU

DEFAULT_MS = 50


class ClassSync(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        time.sleep(asked_ms(request, DEFAULT_MS) / 1000)
        return HttpResponse("Served with class.")


class ClassAsync(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(asked_ms(request, DEFAULT_MS) / 1000)
        return HttpResponse("Served with class.")


class RestMenu(APIView):
    """Django REST framework has no async views: this one needs a thread everywhere."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> Response:
        time.sleep(asked_ms(request._request, DEFAULT_MS) / 1000)
        return Response({"dish": MENU[0]})


ninja = NinjaAPI(title="Café", urls_namespace="ninja", docs_url=None, openapi_url=None)


@ninja.get("/sync/", url_name="sync")
def ninja_sync(request: HttpRequest) -> dict[str, object]:
    time.sleep(asked_ms(request, DEFAULT_MS) / 1000)
    return {"dish": MENU[0]}


@ninja.get("/async/", url_name="async")
async def ninja_async(request: HttpRequest) -> dict[str, object]:
    await asyncio.sleep(asked_ms(request, DEFAULT_MS) / 1000)
    return {"dish": MENU[0]}
