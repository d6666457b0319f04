"""Tokens that are made and reset in one function, and variables that are only set."""

from __future__ import annotations

from contextvars import ContextVar

from django.http import HttpResponse
from django.urls import path
from django.utils.deprecation import MiddlewareMixin

tenant = ContextVar("tenant", default="")


class TenantMiddleware(MiddlewareMixin):
    def process_request(self, request):
        tenant.set("ada")

    def process_response(self, request, response):
        tenant.set("")
        return response


class PlainMiddleware:
    """One `__call__` runs in one hop."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        token = tenant.set("ada")
        try:
            return self.get_response(request)
        finally:
            tenant.reset(token)


class AroundMiddleware(MiddlewareMixin):
    def process_response(self, request, response):
        token = tenant.set("ada")
        tenant.reset(token)
        return response


class UnusedMiddleware(MiddlewareMixin):
    """Not in MIDDLEWARE."""

    def process_request(self, request):
        request.token = tenant.set("ada")

    def process_response(self, request, response):
        tenant.reset(request.token)
        return response


async def view(request):
    return HttpResponse(tenant.get())


urlpatterns = [path("a/", view)]
