"""Settings of the café; what changes between runs comes from CAFE_* variables.

CAFE_UPSTREAM        Address of the slow supplier, `python -m upstream`.
CAFE_SQLITE          SQLite file (default: cafe.sqlite3 beside manage.py).
CAFE_DATABASE_URL    PostgreSQL address; replaces SQLite.
CAFE_POOL            Most connections in Django's psycopg pool; unset means no pool.
CAFE_CONN_MAX_AGE    Seconds that a connection is kept without a pool (default 0).
CAFE_DEBUG           "1" shows tracebacks in the browser.
"""

from __future__ import annotations

import os
from pathlib import Path

import django

HERE = Path(__file__).resolve().parent.parent

# Not a secret: the café only ever listens on the loopback interface.
SECRET_KEY = "an-open-kitchen-has-no-secrets-and-no-visitors-from-outside"
DEBUG = os.environ.get("CAFE_DEBUG") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "channels",
    "rest_framework",
    # Django 6.0 brings the tasks framework along, 5.2 needs the package it grew from.
    *([] if django.VERSION >= (6, 0) else ["django_tasks"]),
    "django_tasks_db",
    "kitchen",
]

# The seven of `django-admin startproject`: their price under ASGI is part of the story.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "cafe.urls"
ASGI_APPLICATION = "cafe.asgi.application"
WSGI_APPLICATION = "cafe.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _postgres(address: str) -> dict[str, object]:
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(address)
    database: dict[str, object] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
    }
    options: dict[str, object] = dict(parts)
    if pool := os.environ.get("CAFE_POOL"):
        options["pool"] = {"min_size": 1, "max_size": int(pool), "timeout": 30}
    else:
        database["CONN_MAX_AGE"] = int(os.environ.get("CAFE_CONN_MAX_AGE", "0"))
    return {**database, "OPTIONS": options}


def _sqlite(path: str) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            # The task worker writes while the site reads: without the write-ahead log and
            # the patience one of them would meet "database is locked".
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }


CAFE_DATABASE_URL = os.environ.get("CAFE_DATABASE_URL", "")
DATABASES = {
    "default": _postgres(CAFE_DATABASE_URL)
    if CAFE_DATABASE_URL
    else _sqlite(os.environ.get("CAFE_SQLITE", str(HERE / "cafe.sqlite3")))
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

CAFE_UPSTREAM = os.environ.get("CAFE_UPSTREAM", "http://127.0.0.1:8601")

USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler", "level": "ERROR"}},
    "loggers": {"django": {"handlers": ["console"]}},
}
