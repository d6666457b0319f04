"""The project's paths, with error pages of its own: one looks at the request, one queries."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from tests.relief.safety.project.urls import urlpatterns as urlpatterns


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(400, exception)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    # Loads the session, if there is one.
    return _page(403, f"{request.user}")


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(404, f"{request.path} {User.objects.count()} users")


def handler500(request: HttpRequest) -> HttpResponse:
    return _page(500, request.method)


def _page(status: int, about: Any) -> HttpResponse:
    return HttpResponse(f"our page for {status}: {about}", status=status)
