"""A small project whose MIDDLEWARE the tests choose anew for each question."""

from __future__ import annotations

SECRET_KEY = "explained" * 6
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "tests.relief.explained.urls"
USE_TZ = True
USE_I18N = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
MIDDLEWARE: list[str] = []
LOGGING = {"version": 1, "disable_existing_loggers": False}
