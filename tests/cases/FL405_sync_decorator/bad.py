"""Async views under decorators that make sync functions of them."""

from __future__ import annotations

from functools import wraps

from django.http import HttpResponse
from django.urls import path
from django.views import View
from django.views.decorators.http import require_GET


def counted(view):
    @wraps(view)
    def wrapper(request, *args, **kwargs):
        return view(request, *args, **kwargs)

    return wrapper


def stamped(header):
    def decorate(view):
        def wrapper(request, *args, **kwargs):
            if request.method == "OPTIONS":
                return HttpResponse("ok")
            response = view(request, *args, **kwargs)
            response[header] = "1"
            return response

        return wrapper

    return decorate


@counted
async def menu(request):  # FL405
    return HttpResponse("soup")


@stamped("X-Stamp")
async def dishes(request):  # FL405
    return HttpResponse("soup")


@require_GET
@counted
async def orders(request):  # FL405
    return HttpResponse("soup")


class Guests(View):
    @counted
    async def get(self, request):  # FL405
        return HttpResponse("soup")


urlpatterns = [
    path("menu/", menu),
    path("dishes/", dishes),
    path("orders/", orders),
    path("guests/", Guests.as_view()),
]
