"""Settings of the planted project."""

from __future__ import annotations

SECRET_KEY = "known to all"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.watch.site.urls"
MIDDLEWARE = ["tests.watch.site.inside_django.SlowMiddleware"]
FREELOOP = {"WATCH": {"NEVER_AWAITED": True}}
