"""Settings of the site that `watch_soak.py` runs for half an hour."""

from __future__ import annotations

import os

from psycopg.conninfo import conninfo_to_dict

_database = conninfo_to_dict(os.environ["SOAK_DATABASE"])

SECRET_KEY = "for the benchmark"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "soak_views"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "freeloop"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.get("dbname", ""),
        "USER": _database.get("user", ""),
        "PASSWORD": _database.get("password", ""),
        "HOST": _database.get("host", ""),
        "PORT": _database.get("port", ""),
        "OPTIONS": {"pool": {"min_size": 4, "max_size": 4, "timeout": 10}},
    }
}
FREELOOP = {"WATCH": {"ENABLED": True, "PROMETHEUS": True, "NEVER_AWAITED": True}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # What the planted faults raise is no news; what the watch logs is part of what is soaked.
    "handlers": {"nowhere": {"class": "logging.NullHandler"}},
    "root": {"handlers": ["nowhere"]},
    "loggers": {
        "freeloop.watch": {"handlers": ["nowhere"], "propagate": False},
        "django": {"handlers": ["nowhere"], "propagate": False},
        "asyncio": {"handlers": ["nowhere"], "propagate": False},
    },
}
