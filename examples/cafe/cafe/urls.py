"""The whole site is the kitchen."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("kitchen.urls"))]
