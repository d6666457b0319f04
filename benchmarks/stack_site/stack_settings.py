"""A site whose middleware is given: STACK_MIDDLEWARE is a JSON list, STACK_DB the SQLite file."""

from __future__ import annotations

import json
import os

SECRET_KEY = "not a secret: nothing listens"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "stack_urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = json.loads(os.environ["STACK_MIDDLEWARE"])
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["STACK_DB"]},
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING_CONFIG = None  # an uncaught error is one of the cases
USE_TZ = True
