"""A token that is made in one hop and reset in another."""

from __future__ import annotations

from contextvars import ContextVar

from django.http import HttpResponse
from django.urls import path
from django.utils.deprecation import MiddlewareMixin

tenant = ContextVar("tenant", default="")
user: ContextVar[str] = ContextVar("user", default="")


class TenantMiddleware(MiddlewareMixin):
    def process_request(self, request):
        request.tenant_token = tenant.set("ada")

    def process_response(self, request, response):
        tenant.reset(request.tenant_token)  # FL205
        return response


class PlainMiddleware(MiddlewareMixin):
    def process_view(self, request, view, args, kwargs):
        self.token = user.set("ada")

    def process_response(self, request, response):
        user.reset(self.token)  # FL205
        return response


class AroundMiddleware(MiddlewareMixin):
    def process_request(self, request):
        return None


async def view(request):
    return HttpResponse(tenant.get())


urlpatterns = [path("a/", view)]
