"""The lazy user in views that get Django's request for certain."""

from __future__ import annotations

from django.urls import path
from django.views import View


async def view(request):
    if (await request.auser()).is_authenticated and (await request.auser()).username != "ada":  # FL112
        return request.user


class Basket(View):
    async def get(self, request):
        return not (await request.auser()).is_anonymous  # FL112

    async def post(self, request):
        return (await self.request.auser()).is_staff  # FL112


urlpatterns = [path("a", view), path("b", Basket.as_view())]
