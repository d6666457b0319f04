"""The project's paths, with error pages that fail themselves."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from tests.relief.safety.project.urls import urlpatterns as urlpatterns


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    raise ValueError("the page for 404 fails")


def handler500(request: HttpRequest) -> HttpResponse:
    raise ValueError("the page for 500 fails")
