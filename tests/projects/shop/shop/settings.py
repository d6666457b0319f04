"""A small real project: login, a database, views of several kinds. It prints when imported."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

print("shop.settings is imported")  # noqa: T201 - as projects do
print('{"answer": "printed by the project"}')  # noqa: T201
print("shop.settings says something", file=sys.stderr)  # noqa: T201
warnings.warn("the shop warns at import", RuntimeWarning, stacklevel=1)

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "not a secret, for tests only"
DEBUG = False
ALLOWED_HOSTS = [".shop.example"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "reports",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SHOP_DATABASE", str(BASE_DIR / "absent.sqlite3")),
    },
}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
SESSION_ENGINE = os.environ.get("SHOP_SESSIONS", "django.contrib.sessions.backends.db")
