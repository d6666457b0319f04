"""Settings of the marked site: Django's default stack, sessions and users in the database.

ISOLATION_DATABASE says where PostgreSQL is, ISOLATION_POOL how many connections Django may pool,
ISOLATION_URLCONF which views there are, ISOLATION_SQLITE where a file of SQLite is.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qs, urlsplit

_address = urlsplit(os.environ["ISOLATION_DATABASE"])
_options = {name: values[0] for name, values in parse_qs(_address.query).items()}
_pool = os.environ.get("ISOLATION_POOL")


def _database(**options: Any) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _address.path.lstrip("/") or "postgres",
        "USER": _address.username or _options.get("user", ""),
        "PASSWORD": _address.password or "",
        "HOST": _options.get("host") or _address.hostname or "",
        "PORT": str(_address.port or ""),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"application_name": "site", **options},
    }


SECRET_KEY = "isolation"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = os.environ.get("ISOLATION_URLCONF", "tests.relief.isolation.urls")
USE_TZ = True
USE_I18N = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASES = {
    "default": _database(**({"pool": {"max_size": int(_pool), "min_size": 1}} if _pool else {})),
    "second": _database(),
    "file": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("ISOLATION_SQLITE", ":memory:"),
    },
}
# Errors are part of the storm; nobody reads about them.
LOGGING = {
    "version": 1,
    "handlers": {"nowhere": {"class": "logging.NullHandler"}},
    "loggers": {"django": {"handlers": ["nowhere"], "propagate": False}},
}
