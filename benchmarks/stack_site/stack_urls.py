"""Paths of the site; `/missing/` is none of them."""

from __future__ import annotations

import stack_views
from django.urls import path

urlpatterns = [
    path("async/", stack_views.hello),
    path("sync/", stack_views.hello_sync),
    path("user/", stack_views.user),
    path("error/", stack_views.error),
    path("query/", stack_views.query),
    path("cache/", stack_views.cached),
    path("session/", stack_views.session),
]
