"""The smallest settings that answer; tests put others over them."""

from __future__ import annotations

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tiny.urls"
MIDDLEWARE: list[str] = []
INSTALLED_APPS: list[str] = []
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
GREETING = "hello"
NESTED = {"kept": 1, "replaced": 1}
