"""Paths of the site that `benchmarks/relief.py` serves."""

from __future__ import annotations

import site_views
from django.urls import path

urlpatterns = [
    path("", site_views.hello),
    path("sync/", site_views.hello_sync),
    path("query/", site_views.query),
    path("wait/", site_views.wait),
    path("log-in/", site_views.log_in),
    path("visit/", site_views.visit),
]
