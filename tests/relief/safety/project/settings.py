"""Settings of the project, given to `settings.configure`: no variable of the process is set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DEFAULT_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


def for_folder(folder: Path) -> dict[str, Any]:
    """Return the settings; database, cache and uploads lie in this folder."""
    return {
        "SECRET_KEY": "nothing here is secret",
        "ALLOWED_HOSTS": ["testserver"],
        "INSTALLED_APPS": [
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
        ],
        "MIDDLEWARE": DEFAULT_MIDDLEWARE,
        "ROOT_URLCONF": "tests.relief.safety.project.urls",
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "project.sqlite3"),
                "OPTIONS": {"timeout": 20},
            }
        },
        "CACHES": {
            "default": {
                "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
                "LOCATION": str(folder / "cache"),
            }
        },
        "SESSION_FILE_PATH": str(folder),
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "DIRS": [str(Path(__file__).with_name("templates"))],
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ],
                },
            },
        ],
        # Slow hashing is not what is tested.
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "FILE_UPLOAD_TEMP_DIR": str(folder),
        "FILE_UPLOAD_MAX_MEMORY_SIZE": 10_000,
        "STATIC_URL": "/static/",
        "STATICFILES_DIRS": [str(Path(__file__).with_name("static"))],
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "USE_TZ": True,
        "LANGUAGES": [("en", "English"), ("de", "German"), ("fr", "French")],
        "LOGGING_CONFIG": None,
    }
